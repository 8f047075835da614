/** States of a test chain, as the stores of a node hold them. For tests. */
import { ABSENT_COMMIT_SIG, type Commit, EMPTY_COMMIT } from '../consensus/types/commit.ts';
import type { BlockId } from '../consensus/types/block-id.ts';
import type { Header } from '../consensus/types/header.ts';
import { DEFAULT_CONSENSUS_PARAMS } from '../consensus/types/params.ts';
import { EMPTY_BYTES } from '../core/bytes.ts';
import { defined } from '../core/errors.ts';
import { type TestChain, validatorsAt } from './evidence/testing.ts';
import type { ChainState } from './state/chain-state.ts';

/** The id of every block. */
export const TEST_BLOCK_ID: BlockId = {
  hash: new Uint8Array(32).fill(1),
  partSetHeader: { total: 1, hash: new Uint8Array(32) },
};

/** A commit that nobody signed. */
export function commitAt(height: bigint): Commit {
  return { ...EMPTY_COMMIT, height, blockId: TEST_BLOCK_ID, signatures: [ABSENT_COMMIT_SIG] };
}

/** The header of a height that the chain has. */
export function headerAt(chain: TestChain, height: bigint): Header {
  return defined(chain.header(height), 'header');
}

/** The state after that height. */
export function stateAt(
  chain: TestChain,
  height: bigint,
  consensusParams: ChainState['consensusParams'] = DEFAULT_CONSENSUS_PARAMS,
): ChainState {
  return {
    chainId: 'test',
    initialHeight: 1n,
    lastBlockHeight: height,
    lastBlockId: TEST_BLOCK_ID,
    lastBlockTime: headerAt(chain, height).time,
    lastValidators: validatorsAt(height),
    validators: validatorsAt(height + 1n),
    nextValidators: validatorsAt(height + 2n),
    lastHeightValidatorsChanged: height + 2n,
    consensusParams,
    lastHeightConsensusParamsChanged: height + 1n,
    appHash: EMPTY_BYTES,
    lastResultsHash: EMPTY_BYTES,
  };
}
