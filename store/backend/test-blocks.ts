/**
 * For tests: the same blocks each time, with updates, new keys and removals. Run as a program: commits them
 * until killed.
 */
import { utf8 } from '../../core/bytes.ts';
import type { CommitMultiStore } from '../kv.ts';
import { openLevel } from './level.ts';
import { openMultiStore, type PersistentOptions } from './persistent.ts';

/** How the stores of these tests are opened: snapshots come often. */
export const TEST_OPTIONS: PersistentOptions = {
  stores: ['a', 'b', 'never'],
  keepVersions: 4,
  snapshotVersions: 5,
  snapshotWrites: 1_000_000,
};

/** Writes the block of a height into the working version. */
export function writeTestBlock(store: CommitMultiStore, height: number): void {
  const block = store.branch();
  for (let i = 0; i < 12; i++) {
    const key = utf8(`key${(height * 7 + i * i * 5) % 40}`);
    if ((height + i) % 4 === 0) block.store('a').delete(key);
    else block.store('a').set(key, utf8(`${height}/${i}`));
  }
  if (height % 3 !== 0) block.store('b').set(utf8(`b${height}`), new Uint8Array(height % 100));
  block.write();
  // Hashing in the middle splits the writes in two passes: a replay has to keep their order.
  if (height % 2 === 0) {
    store.workingHash();
    block.store('a').set(utf8(`key${height % 40}`), utf8('after the hash'));
    block.store('a').set(utf8(`early${height}`), utf8('x'));
    block.write();
  }
}

/** Commits blocks in a directory for ever; prints each version once it is durable. */
async function commitUntilKilled(directory: string): Promise<void> {
  const store = await openMultiStore(await openLevel(directory), TEST_OPTIONS);
  for (let height = Number(store.lastCommit.version) + 1; ; height++) {
    writeTestBlock(store, height);
    store.commit();
    await store.flush();
    process.stdout.write(`${height}\n`);
  }
}

if (import.meta.main) await commitUntilKilled(process.argv[2] ?? '');
