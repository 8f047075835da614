import { merkleRoot } from '../../core/merkle.ts';
import { ExecTxResult } from '../../proto/gen/tendermint/abci/types.ts';

/** What is agreed on of a transaction's result; log, info, events and codespace are not. */
export type DeterministicResult = Pick<ExecTxResult, 'code' | 'data' | 'gasWanted' | 'gasUsed'>;

/** The next header's `lastResultsHash`: 32 bytes over a block's results in their order. */
export function resultsHash(results: readonly DeterministicResult[]): Uint8Array {
  return merkleRoot(
    results.map(({ code, data, gasWanted, gasUsed }) =>
      ExecTxResult.encode(ExecTxResult.create({ code, data, gasWanted, gasUsed })),
    ),
  );
}
