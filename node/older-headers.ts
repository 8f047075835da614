/**
 * Headers below those that a node has after a state sync, as far back as evidence counts. When nobody had
 * them, a note stays in the work folder, and the next start asks again.
 *
 *     statesync/older-headers   nothing: the file is the note
 */
import { EMPTY_BYTES } from '../core/bytes.ts';
import { LedgerError } from '../core/errors.ts';
import type { Logger } from '../p2p/network.ts';
import type { Stores } from './node-stores.ts';
import { type Backfill, evidenceEnd, isEnd } from './statesync/backfill.ts';
import type { HeaderSink } from './statesync/ports.ts';
import { onDisk, told } from './statesync/trouble.ts';
import type { WorkFiles } from './statesync/work-files.ts';

const NOTE_FILE = 'older-headers';

/** Where headers go. */
export interface HeaderStores {
  readonly blocks: Pick<Stores['blocks'], 'meta' | 'headersFrom' | 'saveHeader' | 'sync'>;
  readonly state: Pick<Stores['state'], 'load' | 'saveOlderValidators' | 'sync'>;
}

/** Whether an earlier back-fill ended early. */
export async function lacksOlderHeaders(files: WorkFiles): Promise<boolean> {
  return (await files.read(NOTE_FILE)) !== undefined;
}

/** Says for the next start that headers are missing. */
export async function noteMissingHeaders(files: WorkFiles): Promise<void> {
  await files.write(NOTE_FILE, EMPTY_BYTES);
}

/**
 * Fetches what is missing; durable when this resolves. False when it ended early.
 * @throws LedgerError `statesync.no_peers`, `statesync.disk`
 */
export async function fetchOlderHeaders(
  stores: HeaderStores,
  backfill: Pick<Backfill, 'headers'>,
): Promise<boolean> {
  return onDisk({ step: 'back-fill', act: 'store older headers', facts: {} }, fetchInto(stores, backfill));
}

async function fetchInto(
  { blocks, state }: HeaderStores,
  backfill: Pick<Backfill, 'headers'>,
): Promise<boolean> {
  const last = state.load();
  const lowest = blocks.meta(blocks.headersFrom())?.header;
  if (last === undefined || lowest === undefined) return true;
  const head = { height: last.lastBlockHeight, time: last.lastBlockTime };
  const end = evidenceEnd(head, last.consensusParams.evidence, last.initialHeight);
  await backfill.headers(lowest, headerSink({ blocks, state }), end);
  await state.sync();
  await blocks.sync();
  const reached = blocks.meta(blocks.headersFrom())?.header;
  return reached !== undefined && isEnd(reached, end);
}

/**
 * The same at a later start, for a node that has a state and the note: what nobody has now is left for the
 * next start.
 */
export async function resumeOlderHeaders(
  stores: HeaderStores,
  backfill: Pick<Backfill, 'headers'>,
  { files, log }: { readonly files: WorkFiles; readonly log: Pick<Logger, 'warn'> },
): Promise<void> {
  try {
    if (await fetchOlderHeaders(stores, backfill)) await files.remove(NOTE_FILE);
  } catch (error) {
    if (!(error instanceof LedgerError) || error.code !== 'statesync.no_peers') throw error;
    const trouble = told({
      step: 'back-fill',
      peers: [],
      next: 'the node goes on; the next start asks again',
    });
    log.warn(trouble, 'nobody was there to ask for older headers; the next start asks again');
  }
}

/** Validators first: a header that is there has its validators. */
function headerSink({ blocks, state }: HeaderStores): HeaderSink {
  return {
    save: async ({ header, commit, validators }) => {
      await state.saveOlderValidators(header.height, validators);
      await blocks.saveHeader(header, commit);
    },
  };
}
