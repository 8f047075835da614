import { createApp } from '../../../app/app.ts';
import { composeModules, storeNames } from '../../../app/modules.ts';
import { toHex } from '../../../core/bytes.ts';
import type { GenesisDocument } from '../../../genesis/document.ts';
import { initChainRequest } from '../../../genesis/encode.ts';
import type { CommittedBlock } from '../../../node/committed-block.ts';
import type { RequestFinalizeBlock } from '../../../proto/gen/tendermint/abci/types.ts';
import { MemoryMultiStore } from '../../../store/multistore.ts';
import { plainVerifier } from '../../support/test-chain.ts';
import { CHAIN_ID, PREFIX } from '../chain.ts';
import type { Fail, Invariant } from '../facts.ts';

/**
 * Replay from genesis, on a new application in memory, gives the results of the live chain block by block;
 * and after every block every invariant of every module holds, the conservation of supply among them.
 */
export function replay(fail: Fail, genesis: GenesisDocument): Invariant {
  const blocks = new Map<bigint, CommittedBlock>();
  return {
    name: 'replay',
    committed({ committed }) {
      if (!blocks.has(committed.height)) blocks.set(committed.height, committed);
    },
    ended() {
      const store = new MemoryMultiStore({ stores: storeNames(composeModules(PREFIX).modules) });
      const app = createApp({ store, chainId: CHAIN_ID, prefix: PREFIX, verifier: plainVerifier });
      app.initChain(initChainRequest(genesis));
      for (let height = 1n; ; height++) {
        const live = blocks.get(height);
        if (live === undefined) return;
        const results = app.finalizeBlock(finalizeRequest(live));
        app.commit();
        if (toHex(results.appHash) !== toHex(live.results.appHash)) {
          return fail(
            `replaying block ${height} from genesis gives another app hash than the live chain has`,
          );
        }
        for (const broken of app.brokenInvariants()) fail(`after block ${height}: ${broken}`);
      }
    },
  };
}

/** What the application was asked for a block. */
export function finalizeRequest({ height, block, blockId }: CommittedBlock): RequestFinalizeBlock {
  const { header, txs } = block;
  return {
    txs,
    decidedLastCommit: { round: 0, votes: [] },
    misbehavior: [],
    hash: blockId.hash,
    height,
    time: header.time,
    nextValidatorsHash: header.nextValidatorsHash,
    proposerAddress: header.proposerAddress,
  };
}
