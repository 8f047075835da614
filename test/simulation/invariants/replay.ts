import { toHex } from '../../../core/bytes.ts';
import type { Module } from '../../../framework/module.ts';
import type { GenesisDocument } from '../../../genesis/document.ts';
import { initChainRequest } from '../../../genesis/encode.ts';
import { MemoryMultiStore } from '../../../store/multistore.ts';
import type { Fail, Invariant } from '../facts.ts';
import { simulationApp, simulationStores } from '../witness.ts';
import { LiveChain } from './live-chain.ts';

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
