/** What the chain vouches for about the state after a height: three headers in a row, and the parameters. */
import type { LightBlock } from '../../consensus/types/light-block.ts';
import { type ConsensusParams, consensusParamsHash } from '../../consensus/types/params.ts';
import { equalBytes } from '../../core/bytes.ts';
import { LedgerError } from '../../core/errors.ts';
import { type SyncBlocks, syncBlocks } from '../../light/sync-state.ts';
import type { TrustedChain } from './ports.ts';

/** The state after a height, as far as headers tell it. */
export interface TrustedState extends SyncBlocks {
  /** For the next block. */
  readonly params: ConsensusParams;
}

/**
 * The verified state after a height. Headers do not vouch for proposer priorities: they must be possible and
 * follow from each other, and several nodes must tell the same (ASA-2024-009).
 * @throws LedgerError `light.*`, `statesync.params`
 */
export async function trustedState(chain: TrustedChain, height: bigint): Promise<TrustedState> {
  const blocks = await syncBlocks(chain, height);
  return { ...blocks, params: checkParams(await chain.consensusParams(height + 1n), blocks.current) };
}

function checkParams(params: ConsensusParams, { header }: LightBlock): ConsensusParams {
  const { height } = header;
  const isRight =
    equalBytes(consensusParamsHash(params), header.consensusHash) &&
    params.version.app === header.version.app;
  if (isRight) return params;
  throw new LedgerError(
    'statesync.params',
    `the consensus parameters that the RPC servers give for height ${height} are not those of its header`,
    { height },
  );
}
