/**
 * How fast the store is, beside what bounds it: `node store/backend/bench.ts [keys] [updates per block]
 * [blocks]`. CPU seconds are those of the whole process, so that other work on the machine counts little.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { utf8 } from '../../core/bytes.ts';
import { sha256, sha256Into } from '../../core/hash.ts';
import type { CommitMultiStore } from '../kv.ts';
import { MemoryMultiStore } from '../multistore.ts';
import { openLevel } from './level.ts';
import { openMultiStore } from './persistent.ts';

/** What is measured. */
export interface StoreBenchOptions {
  readonly keys: number;
  readonly updates: number;
  readonly blocks: number;
}

/** One line of the result. */
export interface StoreBenchResult {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
}

const KEY_BYTES = 24;
const VALUE_BYTES = 40;
const STORE = 'bench';

/** Runs all measurements. */
export async function benchStore(options: StoreBenchOptions): Promise<StoreBenchResult[]> {
  const keys = Array.from({ length: options.keys }, (_, i) => sha256(utf8(`key ${i}`)).slice(0, KEY_BYTES));
  const where = `keys=${options.keys}/updates=${options.updates}`;
  const results: StoreBenchResult[] = [
    { name: 'hash/sha256/bytes=70', value: hashesPerSecond(), unit: 'hashes/CPU-s' },
  ];
  const rssBefore = residentBytes();
  const memory = new MemoryMultiStore({ stores: [STORE], keepVersions: 10 });
  fill(memory, keys, options.updates);
  for (let i = 0; i < 12; i++) memory.commit();
  results.push(
    { name: `store/allocated/${where}`, value: memory.allocatedBytes / keys.length, unit: 'bytes/key' },
    {
      name: `store/resident/${where}`,
      value: (residentBytes() - rssBefore) / keys.length,
      unit: 'bytes/key',
    },
    {
      name: `store/update/memory/${where}`,
      value: updatesPerSecond(memory, keys, options),
      unit: 'updates/CPU-s',
    },
    { name: `store/get/memory/${where}`, value: readsPerSecond(memory, keys), unit: 'reads/CPU-s' },
    { name: `store/iterate/memory/${where}`, value: pairsPerSecond(memory), unit: 'pairs/CPU-s' },
  );
  return [...results, ...(await benchLevel(keys, options, where))];
}

async function benchLevel(
  keys: readonly Uint8Array[],
  options: StoreBenchOptions,
  where: string,
): Promise<StoreBenchResult[]> {
  const directory = mkdtempSync(join(tmpdir(), 'store-bench-'));
  try {
    const store = await openMultiStore(await openLevel(directory), { stores: [STORE], keepVersions: 10 });
    fill(store, keys, options.updates);
    await store.flush();
    await store.snapshotsIdle();
    const start = cpuSeconds();
    const times: number[] = [];
    for (let block = 0; block < options.blocks; block++) {
      const from = performance.now();
      writeBlock(store, keys, options.updates, block);
      store.commit();
      times.push(performance.now() - from);
      await store.flush();
    }
    const updates = (options.updates * options.blocks) / (cpuSeconds() - start);
    times.sort((a, b) => a - b);
    await store.snapshotsIdle();
    await store.close();
    const reopening = performance.now();
    const again = await openMultiStore(await openLevel(directory), { stores: [STORE], keepVersions: 10 });
    const restart = performance.now() - reopening;
    await again.close();
    return [
      { name: `store/update/level/${where}`, value: updates, unit: 'updates/CPU-s' },
      {
        name: `store/commit/level/p50/${where}`,
        value: times[times.length >> 1] ?? 0,
        unit: 'ms of the main thread',
      },
      { name: `store/restart/level/${where}`, value: restart, unit: 'ms' },
    ];
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function fill(store: CommitMultiStore, keys: readonly Uint8Array[], step: number): void {
  for (let from = 0; from < keys.length; from += step) {
    const branch = store.branch();
    for (const key of keys.slice(from, from + step))
      branch.store(STORE).set(key, new Uint8Array(VALUE_BYTES));
    branch.write();
    store.commit();
  }
}

/** A block's updates of keys spread over all. */
function writeBlock(
  store: CommitMultiStore,
  keys: readonly Uint8Array[],
  updates: number,
  block: number,
): void {
  const branch = store.branch();
  const bench = branch.store(STORE);
  for (let i = 0; i < updates; i++) {
    const key = keys[((block * updates + i) * 7919) % keys.length];
    if (key !== undefined) bench.set(key, new Uint8Array(VALUE_BYTES).fill(block));
  }
  branch.write();
}

function updatesPerSecond(
  store: CommitMultiStore,
  keys: readonly Uint8Array[],
  options: StoreBenchOptions,
): number {
  const start = cpuSeconds();
  for (let block = 0; block < options.blocks; block++) {
    writeBlock(store, keys, options.updates, block);
    store.commit();
  }
  return (options.updates * options.blocks) / (cpuSeconds() - start);
}

function readsPerSecond(store: CommitMultiStore, keys: readonly Uint8Array[]): number {
  const reader = store.reader(STORE);
  const count = 200_000;
  const start = cpuSeconds();
  for (let i = 0; i < count; i++) reader.get(keys[(i * 7919) % keys.length] ?? utf8(''));
  return count / (cpuSeconds() - start);
}

function pairsPerSecond(store: CommitMultiStore): number {
  const start = cpuSeconds();
  let pairs = 0;
  for (const _pair of store.reader(STORE).iterate({})) pairs++;
  return pairs / (cpuSeconds() - start);
}

function hashesPerSecond(): number {
  const count = 1_000_000;
  const input = Buffer.alloc(70);
  const out = Buffer.alloc(32);
  const start = cpuSeconds();
  for (let i = 0; i < count; i++) {
    input[i % 70] = i & 255;
    sha256Into(input, out, 0);
  }
  return count / (cpuSeconds() - start);
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

function residentBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage.rss();
}

if (import.meta.main) {
  const [keys, updates, blocks] = process.argv.slice(2).map(Number);
  const results = await benchStore({ keys: keys ?? 100_000, updates: updates ?? 5000, blocks: blocks ?? 20 });
  for (const { name, value, unit } of results) console.log(`${name}: ${Math.round(value * 10) / 10} ${unit}`);
}
