import type { OpenLedgerApp } from '../../../app/app.ts';
import { toHex } from '../../../core/bytes.ts';
import { messageOf } from '../../../core/errors.ts';
import type { Module } from '../../../framework/module.ts';
import type { GenesisDocument } from '../../../genesis/document.ts';
import type { RequestFinalizeBlock } from '../../../proto/gen/tendermint/abci/types.ts';
import { MemoryBackend, type MemoryPairs } from '../../../store/backend/memory.ts';
import { openMultiStore, type PersistentMultiStore } from '../../../store/backend/persistent.ts';
import { APPLICATION, SimBackend } from '../disk/databases.ts';
import type { Fail, Invariant } from '../facts.ts';
import type { SimMachine } from '../machine.ts';
import { simulationApp, simulationStores } from '../witness.ts';
import { LiveChain } from './live-chain.ts';

/** What is restored, and of which chain. */
export interface RestoreOptions {
  readonly machines: readonly SimMachine[];
  readonly genesis: GenesisDocument;
  readonly modules: readonly Module[];
}

/** Small enough that the state is several chunks. */
const CHUNK_BYTES = 500;

/**
 * What is on the disk of a node is the state of the live chain, at no lower a height than it has committed; a
 * snapshot of it, restored into an empty store that is then opened again, has the same app hash; and the next
 * block gives the same on both.
 */
export function restore(fail: Fail, { machines, genesis, modules }: RestoreOptions): Invariant {
  const stores = simulationStores(modules);
  const chain = new LiveChain(genesis);
  /** The last height that was told of as committed, by node: from then on it is durable. */
  const told = new Map<string, bigint>();

  async function check(machine: SimMachine): Promise<void> {
    machine.disk.judge = () => 'go on';
    const user = { wait: () => Promise.resolve(), isDead: () => false };
    const live = await openMultiStore(new SimBackend({ disk: machine.disk, user, path: APPLICATION }), {
      stores,
    });
    const { version, hash } = live.lastCommit;
    const last = told.get(machine.name) ?? 0n;
    if (version < last && !machine.isEmptied)
      return fail(`the disk of ${machine.name} has the state of height ${version}, it had committed ${last}`);
    if (version === 0n) return;
    const committed = chain.get(version);
    if (committed !== undefined && toHex(committed.results.appHash) !== toHex(hash))
      return fail(`the disk of ${machine.name} has another state than the chain at height ${version}`);
    const pairs: MemoryPairs = new Map();
    const restored = await restoredFrom(live, pairs);
    const reopened = await openMultiStore(new MemoryBackend(pairs), { stores });
    const next = chain.get(version + 1n) ?? committed;
    if (next === undefined) return;
    const hashes = [live, restored, reopened].map((store) =>
      toHex(hashAfter(simulationApp(store, modules), chain.request(next))),
    );
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
    started({ subject, height }) {
      told.set(subject.name, height);
    },
    committed({ subject, committed }) {
      told.set(subject.name, committed.height);
      chain.add(committed);
    },
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
function hashAfter(app: OpenLedgerApp, request: RequestFinalizeBlock): Uint8Array {
  return app.finalizeBlock({ ...request, height: app.height + 1n }).appHash;
}
