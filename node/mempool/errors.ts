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

/** No room. */
export function mempoolFull(facts: {
  readonly txs: number;
  readonly txsMax: number;
  readonly bytes: number;
  readonly bytesMax: number;
}): MempoolError {
  const { txs, txsMax, bytes, bytesMax } = facts;
  const message =
    `mempool is full: number of txs ${txs} (max: ${txsMax}), ` +
    `total txs bytes ${bytes} (max: ${bytesMax})`;
  return new MempoolError('mempool.full', 20, message, facts);
}

/** Larger than the limit. */
export function txTooLarge(bytes: number, bytesMax: number): MempoolError {
  const message = `Tx too large. Max size is ${bytesMax}, but got ${bytes}`;
  return new MempoolError('mempool.tx_too_large', 21, message, { bytes, bytesMax });
}
