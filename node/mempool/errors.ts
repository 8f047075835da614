import { LedgerError } from '../../core/errors.ts';

/**
 * A transaction that was not taken without asking the application. The messages are CometBFT's, word for
 * word: the Cosmos SDK and its clients recognise them by their text. `sdkCode` is the code in codespace `sdk`
 * that the SDK's broadcast service translates each into.
 */
export class MempoolError extends LedgerError {
  readonly sdkCode: 19 | 20 | 21;

  constructor(
    code: string,
    sdkCode: 19 | 20 | 21,
    message: string,
    facts: Readonly<Record<string, unknown>> = {},
  ) {
    super(code, message, facts);
    this.name = 'MempoolError';
    this.sdkCode = sdkCode;
  }
}

/** It was seen before: it waits here, or it is in a recent block. */
export function txInCache(): MempoolError {
  return new MempoolError('mempool.tx_in_cache', 19, 'tx already exists in cache');
}

/** How full the mempool is. */
export interface Fullness {
  readonly txs: number;
  readonly txsMax: number;
  readonly bytes: number;
  readonly bytesMax: number;
}

/** What there was no room for, in words and as part of the error's code. */
export type FullBecause =
  | 'count'
  | 'bytes'
  | 'queue'
  | 'sender_count'
  | 'sender_bytes'
  | 'predecessor'
  | 'evicted'
  | 'unplaced';

const WHY: Readonly<Record<FullBecause, string>> = {
  count: '',
  bytes: '',
  queue: '; too many wait for their check: send it again later',
  sender_count: '; this sender has as many as one may have: wait until a block takes some',
  sender_bytes: '; this sender has as many bytes as one may have: wait until a block takes some',
  predecessor: '; an earlier one of this sender found no room: send both again after the next block',
  evicted:
    '; it made way for one with a higher fee, or whose sender or peer has fewer: send it again after the next block',
  unplaced: '; too many found no room since the last block: send it again after the next one',
};

/**
 * No room. All begin with `mempool is full`, by which the SDK knows them; the code is `mempool.full` for the
 * pool itself, and `mempool.full_<because>` for the rest.
 */
export function mempoolFull(because: FullBecause, facts: Fullness): MempoolError {
  const { txs, txsMax, bytes, bytesMax } = facts;
  const message =
    `mempool is full: number of txs ${txs} (max: ${txsMax}), ` +
    `total txs bytes ${bytes} (max: ${bytesMax})${WHY[because]}`;
  const code = because === 'count' || because === 'bytes' ? 'mempool.full' : `mempool.full_${because}`;
  return new MempoolError(code, 20, message, { ...facts, because });
}

/** It waited for longer than it may, and was dropped since the last block. */
export function txTooOld(): MempoolError {
  const message =
    'mempool is full: tx waited for longer than ttl-duration or ttl-num-blocks allow and was dropped; ' +
    'send it again after the next block';
  return new MempoolError('mempool.tx_too_old', 20, message);
}

/** Larger than the limit. */
export function txTooLarge(bytes: number, bytesMax: number): MempoolError {
  const message = `Tx too large. Max size is ${bytesMax}, but got ${bytes}`;
  return new MempoolError('mempool.tx_too_large', 21, message, { bytes, bytesMax });
}
