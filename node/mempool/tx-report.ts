import type { ResponseCheckTx } from '../../proto/gen/tendermint/abci/types.ts';

/** What the application says about a transaction that it accepted. */
export interface TxReport {
  /** Accounts whose sequences it uses; each of them orders it after their earlier transactions. */
  readonly signers: readonly string[];
  /** Fee per gas times 10^9, of the coin of which it is least, as the SDK's priority; 0 when not told. */
  readonly price: bigint;
}

const PRICE_UNIT = 1_000_000_000n;
/** An amount and its denomination; amounts have at most 256 bits. */
const COIN = /^(\d{1,78})[a-zA-Z]/;

/**
 * Reads the events that the ante handler of a Cosmos SDK application emits: `tx.acc_seq`
 * (`<address>/<sequence>`) for each signer, and `tx.fee`. An application without them reports nobody and price
 * 0: its transactions are equal and independent.
 */
export function reportOf({ events, gasWanted }: ResponseCheckTx): TxReport {
  const signers: string[] = [];
  let fee = '';
  for (const { type, attributes } of events) {
    if (type !== 'tx') continue;
    for (const { key, value } of attributes) {
      if (key === 'fee') fee = value;
      else if (key === 'acc_seq') {
        const signer = value.slice(0, value.lastIndexOf('/'));
        if (signer !== '' && !signers.includes(signer)) signers.push(signer);
      }
    }
  }
  return { signers, price: priceOf(fee, gasWanted) };
}

function priceOf(fee: string, gasWanted: bigint): bigint {
  if (fee === '' || gasWanted <= 0n) return 0n;
  let least: bigint | undefined;
  for (const coin of fee.split(',')) {
    const digits = COIN.exec(coin)?.[1];
    if (digits === undefined) return 0n;
    const price = (BigInt(digits) * PRICE_UNIT) / gasWanted;
    if (least === undefined || price < least) least = price;
  }
  return least ?? 0n;
}
