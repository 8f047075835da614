/** State sync over a network in memory: honest peers, liars of each kind, and restarts. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { utf8 } from '../../core/bytes.ts';
import { defined, LedgerError } from '../../core/errors.ts';
import { SNAPSHOT_CHUNK_PROTOCOL, SNAPSHOTS_PROTOCOL } from '../../p2p/channels.ts';
import type { Network, RequestHandler } from '../../p2p/network.ts';
import { BAD_BYTES } from '../../p2p/testing.ts';
import { ResponseListSnapshots, type Snapshot } from '../../proto/gen/tendermint/abci/types.ts';
import { ChunkResponse } from '../../proto/gen/tendermint/statesync/types.ts';
import { decodeChunkRequest, encodeChunk } from './messages.ts';
import type { SnapshotSource } from './ports.ts';
import {
  appHashOf,
  CHUNKS,
  chunksOf,
  JOIN_OPTIONS,
  type Joiner,
  JoinWorld,
  type MemoryFiles,
  missing,
  mute,
  snapshotOf,
  type TestBlocks,
  TestSource,
  TestTarget,
  trustedChain,
  wrong,
} from './testing.ts';
import type { TrustedState } from './trusted.ts';
import { WorkFolder } from './work-folder.ts';

let joins: JoinWorld;
let world: JoinWorld['world'];
let files: MemoryFiles;
let blocks: TestBlocks;

beforeEach(() => {
  joins = new JoinWorld();
  ({ world, files, blocks } = joins);
});
afterEach(() => world.close());

const newNetwork = (): Promise<Network> => joins.newNetwork();
const honest = (source: SnapshotSource): Promise<Network> => joins.honest(source);
const liar = (snapshots: readonly Snapshot[], chunk: RequestHandler): Promise<Network> =>
  joins.liar(snapshots, chunk);
const joinBy = (...how: Parameters<JoinWorld['joinBy']>): Promise<Joiner> => joins.joinBy(...how);
const endOf = (joiner: Joiner): Promise<TrustedState | LedgerError> => joins.endOf(joiner);

async function expectRestored(joiner: Joiner, height: bigint): Promise<void> {
  const end = await endOf(joiner);
  if (end instanceof LedgerError) throw end;
  expect(end.last.header.height).toBe(height);
  expect(joiner.target.state).toEqual({ height, appHash: appHashOf(chunksOf(height)) });
  expect(await (await WorkFolder.over(files)).block()).toEqual(utf8(`block ${height}`));
}

test('the newest snapshot is restored, its chunks from several peers', async () => {
  const sources = [new TestSource([10n], [20n]), new TestSource([20n], [15n])];
  const joiner = await joinBy(await Promise.all(sources.map(honest)));
  await expectRestored(joiner, 20n);
  for (const { served } of sources) expect(served.length).toBeGreaterThan(1);
  expect(sources.flatMap(({ served }) => served).toSorted((a, b) => a - b)).toEqual([
    ...Array(CHUNKS).keys(),
  ]);
  expect(joiner.network.metrics.penalties).toBe(0);
});

test('who sends a wrong chunk is banned, and all is restored from the others', async () => {
  const source = new TestSource([20n]);
  const joiner = await joinBy([await liar([snapshotOf(20n, chunksOf(20n))], wrong), await honest(source)]);
  await expectRestored(joiner, 20n);
  expect(joiner.network.metrics.bans).toBe(1);
  expect(joiner.network.peers()).toHaveLength(1);
});

test('a snapshot without the app hash of the chain is refused, and all who offer it are banned', async () => {
  const forged = [new TestSource([20n, 'forged']), new TestSource([20n, 'forged'])];
  const joiner = await joinBy(
    await Promise.all([...forged, new TestSource([20n]), new TestSource([10n])].map(honest)),
  );
  await expectRestored(joiner, 20n);
  expect(joiner.target.offered).toEqual([20n, 20n]);
  expect(joiner.network.metrics.bans).toBe(2);
});

const right = snapshotOf(25n, chunksOf(25n));
test.each<readonly [string, readonly Snapshot[]]>([
  ['more snapshots than it may', Array.from({ length: 11 }, (_, i) => ({ ...right, height: BigInt(i + 1) }))],
  ['a snapshot of too many chunks', [{ ...right, chunks: 100_001 }]],
  ['a snapshot without chunks', [{ ...right, chunks: 0 }]],
  ['a snapshot of height 0', [{ ...right, height: 0n }]],
  ['a snapshot without a hash', [{ ...right, hash: new Uint8Array(0) }]],
  ['a snapshot whose metadata are missing', [{ ...right, metadata: new Uint8Array(0) }]],
])('a peer that offers %s is banned', async (_what, snapshots) => {
  const joiner = await joinBy([await liar(snapshots, missing), await honest(new TestSource([20n]))]);
  await expectRestored(joiner, 20n);
  expect(joiner.network.metrics.bans).toBe(1);
});

const ANSWER_BYTES = 1_000;
test.each(BAD_BYTES)('a peer that lists its snapshots with %s is banned', async (_what, make) => {
  const bad = await newNetwork();
  bad.serve(SNAPSHOTS_PROTOCOL.name, () => make(ANSWER_BYTES));
  const joiner = await joinBy([bad, await honest(new TestSource([20n]))]);
  await expectRestored(joiner, 20n);
  expect(joiner.network.standing(bad.nodeId).bannedForMs).toBeGreaterThan(0);
  expect(joiner.network.metrics).toMatchObject({ bans: 1, handlerErrors: {} });
});

test.each(BAD_BYTES)('a peer that sends %s for a chunk is banned', async (_what, make) => {
  const bad = await liar([snapshotOf(20n, chunksOf(20n))], () => make(ANSWER_BYTES));
  const joiner = await joinBy([bad, await honest(new TestSource([20n]))]);
  await expectRestored(joiner, 20n);
  expect(joiner.network.standing(bad.nodeId).bannedForMs).toBeGreaterThan(0);
  expect(joiner.network.metrics).toMatchObject({ bans: 1, handlerErrors: {} });
});

test('a format that the application does not know is passed over without blame', async () => {
  const other = await liar([{ ...right, format: 7 }], missing);
  const joiner = await joinBy([other, await honest(new TestSource([20n]))]);
  await expectRestored(joiner, 20n);
  expect(joiner.network.metrics.penalties).toBe(0);
});

test('a height that the chain has not reached is set aside before a chunk is asked for', async () => {
  const asked: number[] = [];
  const far = await liar([snapshotOf(1_000_000n, chunksOf(1n))], (peer, bytes) => {
    asked.push(1);
    return missing(peer, bytes);
  });
  const joiner = await joinBy([far, await honest(new TestSource([20n]))]);
  await expectRestored(joiner, 20n);
  expect(asked).toEqual([]);
});

test('who offers ever new snapshots that cannot be had does not keep the node from the others', async () => {
  let height = 1_000n;
  const inventor = await newNetwork();
  inventor.serve(SNAPSHOTS_PROTOCOL.name, () => {
    const snapshots = Array.from({ length: 10 }, () => snapshotOf(height++, chunksOf(height)));
    return ResponseListSnapshots.encode({ snapshots });
  });
  // What the other has when it is asked first is gone soon: only who asks again hears of what it has then.
  const young = await newNetwork();
  let asked = 0;
  young.serve(SNAPSHOTS_PROTOCOL.name, () => {
    const at = asked++ === 0 ? 10n : 20n;
    return ResponseListSnapshots.encode({ snapshots: [snapshotOf(at, chunksOf(at))] });
  });
  young.serve(SNAPSHOT_CHUNK_PROTOCOL.name, (_peer, bytes) => {
    const request = decodeChunkRequest(bytes);
    const chunk = request.height === 20n ? chunksOf(20n)[request.index] : undefined;
    return encodeChunk(request, chunk ?? new Uint8Array(0));
  });
  await expectRestored(await joinBy([inventor, young]), 20n);
});

test('the two headers after a fresh snapshot are waited for', async () => {
  const chain = trustedChain(30);
  const [later] = [await chain.provider.lightBlock(22n)];
  chain.provider.remove(...Array.from({ length: 9 }, (_, i) => BigInt(22 + i)));
  const joiner = await joinBy([await honest(new TestSource([20n]))], { chain });
  await world.until('it waits', () =>
    joiner.lines.includes('the headers after a snapshot are not there yet'),
  );
  chain.provider.set(later);
  await expectRestored(joiner, 20n);
});

test('a peer that does not answer, one that has not what it offered, one that goes: the others serve', async () => {
  const snapshot = snapshotOf(20n, chunksOf(20n));
  const source = new TestSource([20n]);
  const leaving = await honest(new TestSource([20n]));
  const peers = [
    await liar([snapshot], mute),
    await liar([snapshot], missing),
    leaving,
    await honest(source),
  ];
  const joiner = await joinBy(peers);
  await world.until('chunks are fetched', () => source.served.length > 1);
  await leaving.stop();
  await expectRestored(joiner, 20n);
  expect(joiner.network.metrics.requestsFailed[SNAPSHOT_CHUNK_PROTOCOL.name]).toBeGreaterThan(0);
});

test('a chunk that was not asked for is a fault', async () => {
  const other: RequestHandler = () =>
    ChunkResponse.encode({ height: 20n, format: 1, index: 99, chunk: utf8('x'), missing: false });
  const joiner = await joinBy([
    await liar([snapshotOf(20n, chunksOf(20n))], other),
    await honest(new TestSource([20n])),
  ]);
  await expectRestored(joiner, 20n);
  expect(joiner.network.metrics.bans).toBe(1);
});

test('when nobody has what is missing for a minute, another snapshot is tried', async () => {
  const joiner = await joinBy([
    await liar([snapshotOf(25n, chunksOf(25n))], missing),
    await honest(new TestSource([20n])),
  ]);
  await expectRestored(joiner, 20n);
  expect(joiner.target.offered).toEqual([25n, 20n]);
  expect(joiner.lines).toContain('state sync: another snapshot is tried');
});

/** One chunk, and then nothing before it is too late. */
const tooLate: RequestHandler = async (_peer, bytes) => {
  const request = decodeChunkRequest(bytes);
  const lateMs = request.index === 0 ? 0 : 1.5 * JOIN_OPTIONS.chunkRequestTimeoutMs;
  await new Promise<void>((resolve) => world.timers.after(lateMs, resolve));
  return encodeChunk(request, defined(chunksOf(25n, 'lie')[request.index], 'chunk'));
};
const refusing: RequestHandler = () => Promise.reject(new LedgerError('test.refused', 'no'));
test.each<readonly [string, RequestHandler, number]>([
  ['delivers one chunk of it and is silent from then on', tooLate, 0],
  ['refuses every chunk of it', refusing, 1],
  ['is mute', mute, 1],
])('a peer that makes up a snapshot and %s holds the node up for a minute', async (_what, chunk, bans) => {
  const made = snapshotOf(25n, chunksOf(25n, 'lie'));
  const joiner = await joinBy([await liar([made], chunk), await honest(new TestSource([20n]))]);
  const fromMs = world.timers.nowMs();
  await expectRestored(joiner, 20n);
  expect(joiner.target.offered).toEqual([25n, 20n]);
  expect(world.timers.nowMs() - fromMs).toBeLessThan(
    JOIN_OPTIONS.peersWaitMs + 2 * JOIN_OPTIONS.chunkRequestTimeoutMs,
  );
  expect(joiner.network.metrics.bans).toBe(bans);
  expect(joiner.network.metrics.penalties).toBeGreaterThan(0);
});

test('a snapshot that all have pruned meanwhile is given up at once, and the next one is found', async () => {
  const sources = [new TestSource([10n], [20n]), new TestSource([10n], [20n])];
  const joiner = await joinBy(await Promise.all(sources.map(honest)));
  await world.until('it restores', () => joiner.lines.includes('restoring a snapshot'));
  for (const source of sources) source.keepOnly([25n]);
  const fromMs = world.timers.nowMs();
  await expectRestored(joiner, 25n);
  expect(world.timers.nowMs() - fromMs).toBeLessThan(JOIN_OPTIONS.peersWaitMs / 2);
  expect(joiner.target.offered).toEqual([20n, 25n]); // 10 was offered, too, and is gone as well
  expect(joiner.network.metrics.bans).toBe(0);
});

test('a snapshot whose block nobody has any more is left before a chunk is asked for', async () => {
  const source = new TestSource([20n], [15n]);
  blocks.pruned.add(20n);
  const joiner = await joinBy([await honest(source)]);
  await expectRestored(joiner, 15n);
  expect(joiner.target.offered).toEqual([15n]);
  expect(source.served).toHaveLength(CHUNKS);
  expect(joiner.network.metrics.penalties).toBe(0);
});

test('the block is fetched once, and anew when it was damaged', async () => {
  const peer = await honest(new TestSource([20n]));
  const { target, ...first } = await joinBy([peer]);
  await expectRestored({ target, ...first }, 20n);
  await first.network.stop();
  const second = await joinBy([peer], { target });
  await expectRestored(second, 20n);
  await second.network.stop();
  expect(blocks.asked).toEqual([20n]);
  files.files.set('block', utf8('other bytes'));
  await expectRestored(await joinBy([peer], { target }), 20n);
  expect(blocks.asked).toEqual([20n, 20n]);
});

test('when the state is restored and its block is lost, only a peer that has it helps', async () => {
  const peer = await honest(new TestSource([20n], [15n]));
  const { target, ...first } = await joinBy([peer]);
  await expectRestored({ target, ...first }, 20n);
  await first.network.stop();
  files.files.delete('block');
  blocks.pruned.add(20n);
  const second = await joinBy([peer], { target });
  const error = await endOf(second);
  expect(error).toMatchObject({ code: 'statesync.no_block', facts: { height: 20n } });
  await second.network.stop();
  blocks.pruned.clear();
  await expectRestored(await joinBy([peer], { target }), 20n);
});

test('without peers, and without snapshots, it waits and says what to check', async () => {
  const joiner = await joinBy([]);
  const said = (what: string) => () => joiner.lines.some((line) => line.includes(what));
  await world.until('no peer', said('no peer is connected; check p2p.persistent_peers'));
  const empty = await honest(new TestSource());
  joiner.network.addPersistentPeer(empty.listenAddresses()[0] ?? '');
  await world.until('no snapshot', said('snapshot-interval in app.toml'));
  const full = await honest(new TestSource([20n]));
  joiner.network.addPersistentPeer(full.listenAddresses()[0] ?? '');
  await expectRestored(joiner, 20n);
});

test('after a crash the chunks that are there are not fetched again, damaged ones are', async () => {
  const source = new TestSource([20n]);
  const peer = await honest(source);
  const crashing = new TestTarget();
  crashing.crashBefore = CHUNKS - 1;
  const first = await joinBy([peer], { target: crashing });
  expect(await endOf(first)).toMatchObject({ code: 'test.crash' });
  await first.network.stop();
  expect(files.files.has('plan')).toBe(true);
  expect(new Set(source.served).size).toBe(CHUNKS);
  files.files.set('chunk-3', utf8('other bytes'));
  files.files.set('.chunk-4.tmp', utf8('half'));

  source.served.length = 0;
  await expectRestored(await joinBy([peer]), 20n);
  expect(source.served).toEqual([3]);
  expect(files.files.has('.chunk-4.tmp')).toBe(false);
});

test('after a crash behind the restore, nothing is fetched and nothing applied', async () => {
  const source = new TestSource([20n]);
  const peer = await honest(source);
  const { target, ...first } = await joinBy([peer]);
  await expectRestored({ target, ...first }, 20n);
  await first.network.stop();
  source.served.length = 0;
  await expectRestored(await joinBy([peer], { target }), 20n);
  expect(source.served).toEqual([]);
  expect(target.offered).toEqual([20n]);
});

test('what speaks against the trust itself ends it, with the step and what to do', async () => {
  const chain = trustedChain(30);
  chain.provider.failure = new LedgerError('light.expired', 'the trusted header 5 expired');
  const joiner = await joinBy([await honest(new TestSource([20n]))], { chain });
  const error = await endOf(joiner);
  expect(error).toMatchObject({
    code: 'light.expired',
    message:
      'state sync, step verify: the headers 20 to 22 cannot be verified: the trusted header 5 expired (trusted): ' +
      'take a newer statesync.trust_height and its hash',
  });
});

test('parameters that are not those of the header end it', async () => {
  const chain = trustedChain(30);
  const params = await chain.consensusParams(1n);
  const forged = { ...params, block: { ...params.block, maxGas: 7n } };
  const joiner = await joinBy([await honest(new TestSource([20n]))], {
    chain: { ...chain, consensusParams: () => Promise.resolve(forged) },
  });
  expect(await endOf(joiner)).toMatchObject({ code: 'statesync.params' });
});

test('an application that says it has another state than it took ends it', async () => {
  class Lying extends TestTarget {
    override lastState(): ReturnType<TestTarget['lastState']> {
      return Promise.resolve({ ...this.state, appHash: utf8('another') });
    }
  }
  const joiner = await joinBy([await honest(new TestSource([20n]))], { target: new Lying() });
  expect(await endOf(joiner)).toMatchObject({ code: 'statesync.app_hash' });
});
