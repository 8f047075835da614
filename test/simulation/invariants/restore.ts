import { toHex } from '../../../core/bytes.ts';
import { messageOf } from '../../../core/errors.ts';
import type { GenesisDocument } from '../../../genesis/document.ts';
import type { RequestFinalizeBlock } from '../../../proto/gen/tendermint/abci/types.ts';
import { MemoryBackend, type MemoryPairs } from '../../../store/backend/memory.ts';
import { openMultiStore, type PersistentMultiStore } from '../../../store/backend/persistent.ts';
import { SimBackend } from '../disk/databases.ts';
import type { Fail, Invariant } from '../facts.ts';
import type { SimMachine } from '../machine.ts';
import { simulationApp, simulationStores } from '../witness.ts';
import { LiveChain } from './live-chain.ts';

/** Small enough that the state is several chunks. */
const CHUNK_BYTES = 500;
const APPLICATION = '/home/data/application.db';

/**
 * What is on the disk of a node is the state of the live chain; a snapshot of it, restored into an empty
 * store that is then opened again, has the same app hash; and the next block gives the same on both.
 */
export function restore(
  fail: Fail,
  { machines, genesis }: { readonly machines: readonly SimMachine[]; readonly genesis: GenesisDocument },
): Invariant {
  const stores = simulationStores();
  const chain = new LiveChain(genesis);

  async function check(machine: SimMachine): Promise<void> {
    machine.disk.judge = () => 'go on';
    const user = { wait: () => Promise.resolve(), isDead: () => false };
    const live = await openMultiStore(new SimBackend({ disk: machine.disk, user, path: APPLICATION }), {
      stores,
    });
    const { version, hash } = live.lastCommit;
    if (version === 0n) return;
    const committed = chain.get(version);
    if (committed !== undefined && toHex(committed.results.appHash) !== toHex(hash))
      return fail(`the disk of ${machine.name} has another state than the chain at height ${version}`);
    const pairs: MemoryPairs = new Map();
    const restored = await restoredFrom(live, pairs);
    const reopened = await openMultiStore(new MemoryBackend(pairs), { stores });
    const next = chain.get(version + 1n) ?? committed;
    if (next === undefined) return;
    const hashes = [live, restored, reopened].map((store) => toHex(hashAfter(store, chain.request(next))));
    if (new Set(hashes).size > 1)
      fail(
        `block ${version + 1n} gives ${hashes.join(', ')} on the state of ${machine.name}, restored, reopened`,
      );
  }

  async function restoredFrom(live: PersistentMultiStore, pairs: MemoryPairs): Promise<PersistentMultiStore> {
    const { version, hash } = live.lastCommit;
    const restored = await openMultiStore(new MemoryBackend(pairs), { stores });
    const restoring = await restored.beginRestore(version);
    const { chunks, close } = live.exportVersion(version, CHUNK_BYTES);
    for (const chunk of chunks) await restoring.add(chunk);
    close();
    await restoring.finish(hash);
    return restored;
  }

  return {
    name: 'restore',
    committed: ({ committed }) => chain.add(committed),
    async ended() {
      const started = machines.filter(({ isHonest, starts }) => isHonest && starts > 0);
      const machine = started[chain.length % Math.max(1, started.length)];
      if (machine === undefined) return;
      try {
        await check(machine);
      } catch (error) {
        fail(`the state of ${machine.name} cannot be restored: ${messageOf(error)}`);
      }
    },
  };
}

/** The app hash after the transactions of a block, as if it came next. */
function hashAfter(store: PersistentMultiStore, request: RequestFinalizeBlock): Uint8Array {
  const app = simulationApp(store);
  return app.finalizeBlock({ ...request, height: app.height + 1n }).appHash;
}
