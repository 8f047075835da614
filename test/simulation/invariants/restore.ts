import { createApp } from '../../../app/app.ts';
import { composeModules, storeNames } from '../../../app/modules.ts';
import { toHex } from '../../../core/bytes.ts';
import { messageOf } from '../../../core/errors.ts';
import type { CommittedBlock } from '../../../node/committed-block.ts';
import { MemoryBackend, type MemoryPairs } from '../../../store/backend/memory.ts';
import { openMultiStore, type PersistentMultiStore } from '../../../store/backend/persistent.ts';
import { plainVerifier } from '../../support/test-chain.ts';
import { CHAIN_ID, PREFIX } from '../chain.ts';
import { SimBackend } from '../disk/databases.ts';
import type { Fail, Invariant } from '../facts.ts';
import { finalizeRequest } from './replay.ts';
import type { SimMachine } from '../machine.ts';

/** Small enough that the state is several chunks. */
const CHUNK_BYTES = 500;
const APPLICATION = '/home/data/application.db';

/**
 * What is on the disk of a node is the state of the live chain; a snapshot of it, restored into an empty
 * store that is then opened again, has the same app hash; and the next block gives the same on both.
 */
export function restore(fail: Fail, machines: readonly SimMachine[]): Invariant {
  const stores = storeNames(composeModules(PREFIX).modules);
  const chain = new Map<bigint, CommittedBlock>();

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
    const hashes = [live, restored, reopened].map((store) => toHex(hashAfter(store, next)));
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
    committed({ committed }) {
      if (!chain.has(committed.height)) chain.set(committed.height, committed);
    },
    async ended() {
      const sound = machines.filter(
        ({ isHonest, excuse, starts }) => isHonest && excuse === undefined && starts > 0,
      );
      const machine = sound[chain.size % Math.max(1, sound.length)];
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
function hashAfter(store: PersistentMultiStore, block: CommittedBlock): Uint8Array {
  const app = createApp({ store, chainId: CHAIN_ID, prefix: PREFIX, verifier: plainVerifier });
  return app.finalizeBlock({ ...finalizeRequest(block), height: app.height + 1n }).appHash;
}
