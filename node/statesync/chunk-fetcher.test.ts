/** Chunks over a link that needs longer for one than a peer may be silent. */
import { expect, test } from 'vitest';
import { CHANNELS, PROTOCOLS, SNAPSHOT_CHUNK_PROTOCOL } from '../../p2p/channels.ts';
import { MemoryHub } from '../../p2p/memory.ts';
import { type Network, silentLogger } from '../../p2p/network.ts';
import { testOptions } from '../../p2p/testing.ts';
import { VirtualTimers } from '../../p2p/timers.ts';
import { ChunkFetcher } from './chunk-fetcher.ts';
import { decodeChunkRequest, encodeChunk } from './messages.ts';
import { Offers } from './offers.ts';
import { DEFAULT_STATE_SYNC } from './options.ts';
import { MemoryFiles, snapshotOf } from './testing.ts';
import { WorkFolder } from './work-folder.ts';

const CHUNK_BYTES = 4 * 1024 * 1024;
const CHUNKS = Array.from({ length: 3 }, (_, i) => new Uint8Array(CHUNK_BYTES).fill(i));
const LINK_BYTES_PER_SECOND = 160 * 1024;

test('a link that takes half a minute for each chunk brings them all, and nobody is blamed', async () => {
  const timers = new VirtualTimers();
  const answerBytesPerSecond = (): number => LINK_BYTES_PER_SECOND;
  const hub = new MemoryHub({ timers, random: () => 0.5, latencyMs: () => 50, answerBytesPerSecond });
  const newNetwork = async (id: string): Promise<Network> => {
    const network = hub.createNetwork(id, testOptions({ channels: CHANNELS, protocols: PROTOCOLS }));
    await network.start();
    return network;
  };
  const [network, peer] = [await newNetwork('late'), await newNetwork('peer')];
  peer.serve(SNAPSHOT_CHUNK_PROTOCOL.name, (_from, bytes) => {
    const request = decodeChunkRequest(bytes);
    return encodeChunk(request, CHUNKS[request.index] ?? new Uint8Array(0));
  });
  network.addPersistentPeer(peer.listenAddresses()[0] ?? '');
  await timers.advanceUntil(() => network.peers().length === 1, 5_000);
  const snapshot = snapshotOf(20n, CHUNKS);
  const offers = new Offers();
  offers.offered(peer.nodeId, [snapshot]);
  const folder = await WorkFolder.over(new MemoryFiles());
  await folder.begin(snapshot);
  const ports = { network, offers, folder, timers, log: silentLogger };
  const fetcher = new ChunkFetcher(ports, DEFAULT_STATE_SYNC, snapshot);

  const fromMs = timers.nowMs();
  const received: number[] = [];
  const fetching = (async () => {
    for (const index of CHUNKS.keys()) received.push((await fetcher.chunk(index)).chunk.length);
  })();
  fetching.catch(() => undefined);
  expect(await timers.advanceUntil(() => received.length === CHUNKS.length, 300_000)).toBe(true);
  await fetching;
  expect(received).toEqual(CHUNKS.map(() => CHUNK_BYTES));
  expect(timers.nowMs() - fromMs).toBeGreaterThan(
    2 * CHUNKS.length * DEFAULT_STATE_SYNC.chunkRequestTimeoutMs,
  );
  expect(network.metrics.requestsFailed[SNAPSHOT_CHUNK_PROTOCOL.name] ?? 0).toBe(0);
  expect(network.metrics.penalties).toBe(0);
  await fetcher.stop();
  for (const each of [network, peer]) await each.stop();
});
