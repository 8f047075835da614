/** Journals of the parties that are tested. */
import { Journal, type JournalDisk } from '../../client/vouchers/journal.ts';

/** A journal that says that it is durable before it is, where a fault wants it so. */
export async function openJournal(disk: JournalDisk, waits: boolean): Promise<Journal> {
  const journal = await Journal.open(disk);
  if (waits) return journal;
  const write = journal.compareAndSet.bind(journal);
  journal.compareAndSet = (key, version, value) => {
    const durable = write(key, version, value);
    durable?.catch(() => undefined);
    return durable === undefined ? undefined : Promise.resolve();
  };
  return journal;
}
