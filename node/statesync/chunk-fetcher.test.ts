/** Chunks over links and from peers that are slow. */
import { expect, test } from 'vitest';
import { LedgerError } from '../../core/errors.ts';
import { CHANNELS, PROTOCOLS, SNAPSHOT_CHUNK_PROTOCOL } from '../../p2p/channels.ts';
import { MemoryHub } from '../../p2p/memory.ts';
import { type Network, type RequestHandler, silentLogger } from '../../p2p/network.ts';
import { testOptions } from '../../p2p/testing.ts';
import { VirtualTimers } from '../../p2p/timers.ts';
import { ChunkFetcher } from './chunk-fetcher.ts';
import { decodeChunkRequest, encodeChunk } from './messages.ts';
import { Offers } from './offers.ts';
import { DEFAULT_STATE_SYNC } from './options.ts';
import { MemoryFiles, snapshotOf } from './testing.ts';
import { WorkFolder } from './work-folder.ts';

const LINK_BYTES_PER_SECOND = 160 * 1024;
const HOUR_MS = 3_600_000;

interface Fetched {
  readonly received: readonly number[];
  readonly error: unknown;
  readonly tookMs: number;
  readonly network: Network;
}

/** Fetches all chunks of a snapshot from one peer. */
async function fetchFrom(
  chunks: readonly Uint8Array[],
  {
    timers,
    handler,
    ...hubOptions
  }: { readonly timers: VirtualTimers; readonly handler: RequestHandler } & Pick<
    ConstructorParameters<typeof MemoryHub>[0],
    'answerBytesPerSecond'
  >,
): Promise<Fetched> {
  const hub = new MemoryHub({ timers, random: () => 0.5, latencyMs: () => 50, ...hubOptions });
  const newNetwork = async (id: string): Promise<Network> => {
    const network = hub.createNetwork(id, testOptions({ channels: CHANNELS, protocols: PROTOCOLS }));
    await network.start();
    return network;
  };
  const [network, peer] = [await newNetwork('late'), await newNetwork('peer')];
  peer.serve(SNAPSHOT_CHUNK_PROTOCOL.name, handler);
  network.addPersistentPeer(peer.listenAddresses()[0] ?? '');
  await timers.advanceUntil(() => network.peers().length === 1, 5_000);
  const snapshot = snapshotOf(20n, chunks);
  const offers = new Offers();
  offers.offered(peer.nodeId, [snapshot]);
  const folder = await WorkFolder.over(new MemoryFiles());
  await folder.begin(snapshot);
  const ports = { network, offers, folder, timers, log: silentLogger };
  const fetcher = new ChunkFetcher(ports, DEFAULT_STATE_SYNC, snapshot);

  const fromMs = timers.nowMs();
  const received: number[] = [];
  let ended: { readonly error: unknown } | undefined;
  const fetching = (async () => {
    for (const index of chunks.keys()) received.push((await fetcher.chunk(index)).chunk.length);
  })();
  fetching.then(
    () => (ended = { error: undefined }),
    (error: unknown) => (ended = { error }),
  );
  expect(await timers.advanceUntil(() => ended !== undefined, HOUR_MS)).toBe(true);
  const tookMs = timers.nowMs() - fromMs;
  await fetcher.stop();
  for (const each of [network, peer]) await each.stop();
  return { received, error: ended?.error, tookMs, network };
}

function answerFrom(chunks: readonly Uint8Array[], bytes: Uint8Array): Uint8Array {
  const request = decodeChunkRequest(bytes);
  return encodeChunk(request, chunks[request.index] ?? new Uint8Array(0));
}

test('a link that takes half a minute for each chunk brings them all, and nobody is blamed', async () => {
  const chunks = Array.from({ length: 3 }, (_, i) => new Uint8Array(4 * 1024 * 1024).fill(i));
  const { received, tookMs, network } = await fetchFrom(chunks, {
    timers: new VirtualTimers(),
    handler: (_from, bytes) => answerFrom(chunks, bytes),
    answerBytesPerSecond: () => LINK_BYTES_PER_SECOND,
  });
  expect(received).toEqual(chunks.map(({ length }) => length));
  expect(tookMs).toBeGreaterThan(2 * chunks.length * DEFAULT_STATE_SYNC.chunkRequestTimeoutMs);
  expect(network.metrics.requestsFailed[SNAPSHOT_CHUNK_PROTOCOL.name] ?? 0).toBe(0);
  expect(network.metrics.penalties).toBe(0);
});

test('a peer that sends a chunk now and then is left, however many it offers', async () => {
  const chunks = Array.from({ length: 60 }, (_, i) => new Uint8Array(1_000).fill(i));
  const timers = new VirtualTimers();
  let sentAtMs = Number.NEGATIVE_INFINITY;
  const handler: RequestHandler = (_from, bytes) => {
    const isDue = timers.nowMs() - sentAtMs > 35_000;
    if (isDue) sentAtMs = timers.nowMs();
    const answer = isDue ? answerFrom(chunks, bytes) : new Uint8Array(0);
    // Too late, so that its places for requests are free again.
    const lateMs = DEFAULT_STATE_SYNC.chunkRequestTimeoutMs + 500;
    return isDue ? answer : new Promise((resolve) => timers.after(lateMs, () => resolve(answer)));
  };
  const { received, error, tookMs, network } = await fetchFrom(chunks, { timers, handler });
  expect(error).toBeInstanceOf(LedgerError);
  expect(error).toMatchObject({ code: 'statesync.no_peers' });
  expect(received.length).toBeGreaterThan(3);
  expect(tookMs).toBeLessThan(6 * DEFAULT_STATE_SYNC.peersWaitMs);
  expect(network.metrics.bans).toBe(0);
});
