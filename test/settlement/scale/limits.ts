/** What settlement may take of the chain: a handful of transactions that default nodes accept. */
import { DEFAULT_MEMPOOL_CONFIG } from '../../../node/mempool/config.ts';
import { DEFAULT_CONSENSUS_PARAMS } from '../../../modules/consensus/params.ts';
import type { ScaleTransaction } from './run.ts';

/** For any number of inferences. */
export const TRANSACTIONS_MAX = 10;

/** What is too much. */
export function problemsOfSize(transactions: readonly ScaleTransaction[]): readonly string[] {
  const count = transactions.length;
  const { maxBytes = 0n } = DEFAULT_CONSENSUS_PARAMS.block ?? {};
  const most = Math.min(DEFAULT_MEMPOOL_CONFIG.txBytesMax, Number(maxBytes));
  return [
    ...(count > TRANSACTIONS_MAX ? [`${count} transactions, at most ${TRANSACTIONS_MAX}`] : []),
    ...transactions.flatMap(({ what, bytes }) => (bytes > most ? [`${what} has ${bytes} bytes`] : [])),
  ];
}
