/** What a gateway keeps in its home: `gateway/` with three logs, and a file for each epoch. */
import { join } from 'node:path';
import { openFileDisk } from '../../client/vouchers/file-disk.ts';
import { Journal } from '../../client/vouchers/journal.ts';
import type { EpochFiles } from '../../gateway/serve/ports.ts';
import { ReceiptLog } from '../../gateway/serve/receipt-log.ts';
import { machineFiles, replaceFile } from '../../node/privval/durable-file.ts';
import { makeFolder } from '../home/folder.ts';
import { tryLock } from '../process-lock.ts';

/** Opened; one process at a time. */
export interface GatewayHome {
  /** Lanes: what was promised and charged. */
  readonly vouchers: Journal;
  readonly receipts: ReceiptLog;
  /** What was made of rounds. */
  readonly rounds: Journal;
  readonly files: EpochFiles;
  close(): Promise<void>;
}

/**
 * Opens what a gateway has written, or begins.
 * @throws LedgerError `vouchers.locked` while another process has it, `vouchers.corrupt`, `gateway.corrupt`
 */
export async function openGatewayHome(folder: string): Promise<GatewayHome> {
  makeFolder(folder);
  makeFolder(join(folder, 'epochs'));
  const disk = (name: string) => openFileDisk(join(folder, name), { tryLock });
  const opened: { close(): Promise<void> }[] = [];
  const keep = <T extends { close(): Promise<void> }>(log: T): T => {
    opened.push(log);
    return log;
  };
  const close = async (): Promise<void> => {
    for (const log of opened.splice(0)) await log.close();
  };
  try {
    const vouchers = keep(await Journal.open(await disk('vouchers.log')));
    const receipts = keep(await ReceiptLog.open(await disk('receipts.log')));
    const rounds = keep(await Journal.open(await disk('rounds.log')));
    return { vouchers, receipts, rounds, files: epochFiles(join(folder, 'epochs')), close };
  } catch (error) {
    await close();
    throw error;
  }
}

function epochFiles(folder: string): EpochFiles {
  return {
    write: (name, bytes) => replaceFile(machineFiles, join(folder, name), bytes),
    read: (name) => machineFiles.read(join(folder, name)),
  };
}
