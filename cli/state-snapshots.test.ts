/** ABCI's snapshot calls between two stores. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { EMPTY_BYTES, utf8 } from '../core/bytes.ts';
import { defined } from '../core/errors.ts';
import {
  ResponseApplySnapshotChunk_Result as ApplyResult,
  ResponseOfferSnapshot_Result as OfferResult,
  type Snapshot,
} from '../proto/gen/tendermint/abci/types.ts';
import { MemoryBackend } from '../store/backend/memory.ts';
import { openMultiStore, type PersistentMultiStore } from '../store/backend/persistent.ts';
import { SnapshotService } from './state-snapshots.ts';

const INTERVAL = 3;
let dataDir = '';
let restored = 0;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'snapshots-'));
  restored = 0;
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

interface Node {
  readonly store: PersistentMultiStore;
  readonly service: SnapshotService;
}

async function newNode(name: string, interval = INTERVAL): Promise<Node> {
  const store = await openMultiStore(new MemoryBackend(), { stores: ['a', 'b'] });
  const log = { info: () => undefined, warn: () => undefined };
  const ports = { store, restored: () => void restored++, log };
  const service = await SnapshotService.open(join(dataDir, name), ports, { interval, keepRecent: 2 });
  return { store, service };
}

/** Commits versions until one, the same on every node. */
async function commit({ store, service }: Node, to: bigint): Promise<void> {
  for (let height = store.lastCommit.version + 1n; height <= to; height++) {
    const branch = store.branch();
    branch.store('a').set(utf8(`key ${height % 7n}`), utf8(`value ${height}`));
    branch.write();
    store.commit();
    service.committed(height);
    await service.idle();
  }
}

async function newest({ service }: Node): Promise<Snapshot> {
  const { snapshots } = await service.listSnapshots();
  return defined(snapshots[0], 'snapshot');
}

async function chunkOf({ service }: Node, { height, format }: Snapshot, chunk: number): Promise<Uint8Array> {
  return (await service.loadSnapshotChunk({ height, format, chunk })).chunk;
}

it('snapshots come at the interval, the newest first, and missing chunks are empty', async () => {
  const node = await newNode('source');
  await commit(node, 11n);
  const { snapshots } = await node.service.listSnapshots();
  expect(snapshots.map(({ height }) => height)).toEqual([9n, 6n]);
  const snapshot = await newest(node);
  expect((await chunkOf(node, snapshot, 0)).length).toBeGreaterThan(0);
  expect(await chunkOf(node, snapshot, 1)).toEqual(EMPTY_BYTES);
  expect(await chunkOf(node, { ...snapshot, height: 8n }, 0)).toEqual(EMPTY_BYTES);
  const none = await newNode('none', 0);
  await commit(none, 7n);
  expect(await none.service.listSnapshots()).toEqual({ snapshots: [] });
});

it('an empty store takes the state; both then commit the same hashes', async () => {
  const [source, joiner] = [await newNode('source'), await newNode('joiner')];
  await commit(source, 9n);
  const { hash } = source.store.lastCommit;
  const snapshot = await newest(source);
  expect(await joiner.service.offerSnapshot({ snapshot, appHash: hash })).toEqual({
    result: OfferResult.ACCEPT,
  });
  const chunk = await chunkOf(source, snapshot, 0);
  const applied = await joiner.service.applySnapshotChunk({ index: 0, chunk, sender: 'p' });
  expect(applied.result).toBe(ApplyResult.ACCEPT);
  expect(restored).toBe(1);
  expect(joiner.store.lastCommit).toEqual({ version: 9n, hash });
  await Promise.all([commit(source, 13n), commit(joiner, 13n)]);
  expect(joiner.store.lastCommit).toEqual(source.store.lastCommit);
  const again = await joiner.service.offerSnapshot({ snapshot, appHash: hash });
  expect(again).toEqual({ result: OfferResult.ABORT });
});

it('a wrong chunk is asked for anew and its sender named; the right one then fits', async () => {
  const [source, joiner] = [await newNode('source'), await newNode('joiner')];
  await commit(source, 3n);
  const snapshot = await newest(source);
  await joiner.service.offerSnapshot({ snapshot, appHash: source.store.lastCommit.hash });
  const wrong = { index: 0, chunk: utf8('wrong'), sender: 'liar' };
  expect(await joiner.service.applySnapshotChunk(wrong)).toEqual({
    result: ApplyResult.RETRY,
    refetchChunks: [0],
    rejectSenders: ['liar'],
  });
  const right = { index: 0, chunk: await chunkOf(source, snapshot, 0), sender: 'p' };
  expect(await joiner.service.applySnapshotChunk({ ...right, index: 1 })).toMatchObject({
    result: ApplyResult.ABORT,
  });
  expect(await joiner.service.applySnapshotChunk(right)).toMatchObject({ result: ApplyResult.ACCEPT });
});

it('a forged state is refused as a whole, and the true one can follow', async () => {
  const [source, forger, joiner] = [
    await newNode('source'),
    await newNode('forger'),
    await newNode('joiner'),
  ];
  await commit(source, 3n);
  const branch = forger.store.branch();
  branch.store('b').set(utf8('money'), utf8('much'));
  branch.write();
  await commit(forger, 3n);
  const { hash: appHash } = source.store.lastCommit;
  for (const [from, result] of [
    [forger, ApplyResult.REJECT_SNAPSHOT],
    [source, ApplyResult.ACCEPT],
  ] as const) {
    const snapshot = await newest(from);
    expect(await joiner.service.offerSnapshot({ snapshot, appHash })).toEqual({ result: OfferResult.ACCEPT });
    const request = { index: 0, chunk: await chunkOf(from, snapshot, 0), sender: 'p' };
    expect(await joiner.service.applySnapshotChunk(request)).toMatchObject({ result });
  }
  expect(joiner.store.lastCommit).toEqual(source.store.lastCommit);
  expect(restored).toBe(1);
});

it('an offer that cannot be is told from a format that is not known', async () => {
  const [source, joiner] = [await newNode('source'), await newNode('joiner')];
  await commit(source, 3n);
  const snapshot = await newest(source);
  const offer = async (changed: Partial<Snapshot>): Promise<number> =>
    (await joiner.service.offerSnapshot({ snapshot: { ...snapshot, ...changed }, appHash: EMPTY_BYTES }))
      .result;
  expect(await offer({ format: 2 })).toBe(OfferResult.REJECT_FORMAT);
  expect(await offer({ metadata: EMPTY_BYTES })).toBe(OfferResult.REJECT_SENDER);
  expect(await offer({ hash: new Uint8Array(32) })).toBe(OfferResult.REJECT_SENDER);
  const chunk = await chunkOf(source, snapshot, 0);
  const early = await joiner.service.applySnapshotChunk({ index: 0, chunk, sender: 'p' });
  expect(early.result).toBe(ApplyResult.ABORT);
});
