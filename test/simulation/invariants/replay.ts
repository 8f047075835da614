import { resultsHash } from '../../../consensus/types/results.ts';
import { concatBytes, EMPTY_BYTES, toHex } from '../../../core/bytes.ts';
import type { Module } from '../../../framework/module.ts';
import type { GenesisDocument } from '../../../genesis/document.ts';
import { initChainRequest } from '../../../genesis/encode.ts';
import { stakeMakesValidators } from '../../../genesis/stake.ts';
import { type ResponseFinalizeBlock, ValidatorUpdate } from '../../../proto/gen/tendermint/abci/types.ts';
import { ConsensusParams } from '../../../proto/gen/tendermint/types/params.ts';
import { MemoryMultiStore } from '../../../store/multistore.ts';
import type { Fail, Invariant } from '../facts.ts';
import { simulationApp, simulationStores } from '../witness.ts';
import { LiveChain } from './live-chain.ts';

type Part = (results: ResponseFinalizeBlock) => Uint8Array;

/** What two applications have to say the same of a block. */
const SAME: Readonly<Record<string, Part>> = {
  'app hash': ({ appHash }) => appHash,
  'results hash': ({ txResults }) => resultsHash(txResults),
  'set of consensus parameters': ({ consensusParamUpdates }) =>
    consensusParamUpdates === undefined ? EMPTY_BYTES : ConsensusParams.encode(consensusParamUpdates),
};
/** Otherwise a simulation puts changes of the set into the answers of its nodes. */
const SAME_WITH_STAKE: Readonly<Record<string, Part>> = {
  'set of validator updates': ({ validatorUpdates }) =>
    concatBytes(...validatorUpdates.map((update) => ValidatorUpdate.encode(update))),
};

/**
 * Replay from genesis, on a new application in memory, gives the results of the live chain block by block:
 * the nodes told their applications the same of last commit and misbehaviour. After every block every
 * invariant of every module holds, the conservation of supply among them.
 */
export function replay(
  fail: Fail,
  { genesis, modules }: { readonly genesis: GenesisDocument; readonly modules: readonly Module[] },
): Invariant {
  const chain = new LiveChain(genesis);
  const isStaked = stakeMakesValidators(genesis);
  return {
    name: 'replay',
    committed: ({ committed }) => chain.add(committed),
    ended() {
      const app = simulationApp(new MemoryMultiStore({ stores: simulationStores(modules) }), modules);
      app.initChain(initChainRequest(genesis));
      for (let height = 1n; ; height++) {
        const live = chain.get(height);
        if (live === undefined) return;
        const results = app.finalizeBlock(chain.request(live));
        app.commit();
        for (const [what, of] of Object.entries(isStaked ? { ...SAME, ...SAME_WITH_STAKE } : SAME)) {
          if (toHex(of(results)) === toHex(of(live.results))) continue;
          return fail(`replaying block ${height} from genesis gives another ${what} than the live chain has`);
        }
        for (const broken of app.brokenInvariants()) fail(`after block ${height}: ${broken}`);
      }
    },
  };
}
