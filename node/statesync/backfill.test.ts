/** Block and headers below a snapshot, from honest peers and liars. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { commitHash } from '../../consensus/types/commit.ts';
import type { LightBlock } from '../../consensus/types/light-block.ts';
import { timeToNanos } from '../../consensus/types/time.ts';
import { utf8 } from '../../core/bytes.ts';
import { defined, LedgerError } from '../../core/errors.ts';
import { BLOCKS_PROTOCOL, CHANNELS, LIGHT_BLOCK_PROTOCOL, PROTOCOLS } from '../../p2p/channels.ts';
import { DEFAULT_LIMITS, type Logger, type Network, type RequestHandler } from '../../p2p/network.ts';
import { BAD_BYTES, memoryWorld } from '../../p2p/testing.ts';
import { testChain, verify } from '../../light/testing/chain.ts';
import { BlockResponse } from '../../proto/gen/openledger/p2p/v1/p2p.ts';
import { Backfill, type BackfillEnd, evidenceEnd } from './backfill.ts';
import { decodeHeightRequest, encodeLightBlockResponse } from './messages.ts';
import { DEFAULT_STATE_SYNC } from './options.ts';
import { serveStateSync } from './server.ts';

const LENGTH = 60;
let world: ReturnType<typeof memoryWorld>;
const warnings: object[] = [];
const nothing = (): void => undefined;
const log: Logger = {
  debug: nothing,
  info: nothing,
  warn: (fields: object) => void warnings.push(fields),
  error: nothing,
};

beforeEach(() => {
  warnings.length = 0;
  world = memoryWorld();
});
afterEach(() => world.close());

/** Headers that name the commit below; validators change on the way. */
function linkedChain(appHash?: Uint8Array): readonly LightBlock[] {
  let blocks: readonly LightBlock[] = [];
  for (let length = 1; length <= LENGTH; length++) {
    const below = blocks.at(-1);
    blocks = testChain({
      length,
      validators: (height) => (height < 30n ? { a: 10n, b: 10n, c: 10n } : { a: 10n, c: 10n, d: 40n }),
      header: () => ({
        ...(below === undefined ? {} : { lastCommitHash: commitHash(below.commit) }),
        ...(appHash === undefined ? {} : { appHash }),
      }),
      ...(below === undefined ? {} : { fork: { of: blocks, at: BigInt(length - 1) } }),
    });
  }
  return blocks;
}

const chain = linkedChain();
const other = linkedChain(new Uint8Array(32).fill(1));
const at = (height: number, of = chain): LightBlock => defined(of[height - 1], 'block');

async function newNetwork(): Promise<Network> {
  const limits = { ...DEFAULT_LIMITS, banMs: 600_000 };
  const network = await world.create({ channels: CHANNELS, protocols: PROTOCOLS, limits });
  await network.start();
  return network;
}

/** A peer that has the light blocks from a height on. */
async function peer(from: number, of = chain): Promise<Network> {
  const network = await newNetwork();
  const block = (height: bigint): LightBlock | undefined =>
    Number(height) < from ? undefined : of[Number(height) - 1];
  const headers = {
    header: (height: bigint) => block(height)?.header,
    commit: (height: bigint) => block(height)?.commit,
    validators: (height: bigint) => block(height)?.validators,
  };
  serveStateSync({ network, snapshots: undefined, headers });
  return network;
}

const newBackfill = (network: Network): Backfill =>
  new Backfill({ network, timers: world.timers, log, verify }, DEFAULT_STATE_SYNC);

interface Filled {
  readonly network: Network;
  readonly saved: readonly LightBlock[];
  readonly lowest: bigint;
}

async function fill(peers: readonly Network[], end: BackfillEnd): Promise<Filled> {
  const network = await newNetwork();
  for (const each of peers) network.addPersistentPeer(each.listenAddresses()[0] ?? '');
  await world.until('all are connected', () => network.peers().length === peers.length);
  const backfill = newBackfill(network);
  const saved: LightBlock[] = [];
  let lowest: bigint | undefined;
  const sink = { save: async (block: LightBlock) => void saved.push(block) };
  const filling = backfill.headers(at(LENGTH).header, sink, end).then((height) => {
    lowest = height;
  });
  await world.until('it is filled', () => lowest !== undefined);
  await filling;
  return { network, saved, lowest: lowest ?? 0n };
}

const ALL: BackfillEnd = { height: -40n, timeNanos: 0n, initialHeight: 1n };
const heightsOf = (blocks: readonly LightBlock[]): number[] =>
  blocks.map(({ header }) => Number(header.height));
const down = (from: number, to: number): number[] =>
  Array.from({ length: from - to + 1 }, (_, i) => from - i);

test('all headers down to the first, with the validators of each height', async () => {
  const { saved, lowest, network } = await fill([await peer(1), await peer(1)], ALL);
  expect(lowest).toBe(1n);
  expect(saved).toEqual(chain.slice(0, -1).toReversed());
  expect(network.metrics.requestsFailed[LIGHT_BLOCK_PROTOCOL.name] ?? 0).toBe(0);
});

test('it ends where evidence is too old by both ages', async () => {
  const params = { maxAgeNumBlocks: 10n, maxAgeDuration: { seconds: 20n, nanos: 0 } };
  const byTime = evidenceEnd(at(LENGTH).header, params, 1n);
  expect(byTime.timeNanos).toBe(timeToNanos(at(LENGTH - 20).header.time));
  expect(heightsOf((await fill([await peer(1)], byTime)).saved)).toEqual(down(59, 40));
  const byHeight = evidenceEnd(at(LENGTH).header, { ...params, maxAgeNumBlocks: 30n }, 1n);
  expect(heightsOf((await fill([await peer(1)], byHeight)).saved)).toEqual(down(59, 30));
});

test('one that is on another chain is banned; one that pruned is passed over', async () => {
  const { saved, network } = await fill([await peer(1, other), await peer(40), await peer(1)], ALL);
  expect(heightsOf(saved)).toEqual(down(59, 1));
  expect(saved.at(-1)).toEqual(at(1));
  expect(network.metrics.bans).toBe(1);
});

test.each(BAD_BYTES)('a peer that sends %s for a light block is banned', async (_what, make) => {
  const bad = await newNetwork();
  bad.serve(LIGHT_BLOCK_PROTOCOL.name, () => make(1_000));
  const { saved, network } = await fill([bad, await peer(1)], ALL);
  expect(heightsOf(saved)).toEqual(down(59, 1));
  expect(network.standing(bad.nodeId).bannedForMs).toBeGreaterThan(0);
  expect(network.metrics).toMatchObject({ bans: 1, handlerErrors: {} });
});

test('a commit that the header above does not name is refused, though it is for the right block', async () => {
  const network = await newNetwork();
  network.serve(LIGHT_BLOCK_PROTOCOL.name, (_peer, bytes) => {
    const block = at(Number(decodeHeightRequest(bytes)));
    const signatures = block.commit.signatures.map((entry, i) =>
      i === 0 ? { ...entry, signature: new Uint8Array(64).fill(7) } : entry,
    );
    return encodeLightBlockResponse({ ...block, commit: { ...block.commit, signatures } });
  });
  const filled = await fill([network, await peer(1)], ALL);
  expect(filled.saved.at(-1)).toEqual(at(1));
  expect(filled.network.metrics.bans).toBe(1);
});

test('a peer that changes the round of commits is banned: what a header names leaves the round out', async () => {
  const liar = await newNetwork();
  liar.serve(LIGHT_BLOCK_PROTOCOL.name, (_peer, bytes) => {
    const block = at(Number(decodeHeightRequest(bytes)));
    return encodeLightBlockResponse({ ...block, commit: { ...block.commit, round: 77 } });
  });
  const { network, saved } = await fill([liar, await peer(1)], ALL);
  expect(network.metrics.bans).toBe(1);
  expect(saved.map(({ commit }) => commit.round)).toEqual(
    down(59, 1).map((height) => at(height).commit.round),
  );
});

test('where nobody has more it ends, and says how far it got', async () => {
  const peers = [await peer(45), await peer(50)];
  const { lowest, saved } = await fill(peers, ALL);
  expectMissing(peers, 44n);
  expect(lowest).toBe(45n);
  expect(heightsOf(saved)).toEqual(down(59, 45));
});

/** That the one warning names step, peers, and what is next. */
function expectMissing(peers: readonly Network[], height: bigint): void {
  const named = peers.map(({ nodeId }) => nodeId);
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toMatchObject({
    step: 'back-fill',
    next: 'the node goes on without them; each start asks again',
    height,
  });
  for (const peer of named) expect(warnings[0]).toMatchObject({ peers: expect.stringContaining(peer) });
}

/** Of two peers, the one that has all headers stops. */
async function fullOneStops(): Promise<{
  readonly full: Network;
  readonly pruned: Network;
  readonly network: Network;
  readonly backfill: Backfill;
}> {
  const [full, pruned] = [await peer(1), await peer(50)];
  const network = await newNetwork();
  for (const each of [full, pruned]) network.addPersistentPeer(each.listenAddresses()[0] ?? '');
  const backfill = newBackfill(network);
  await world.until('both are connected', () => network.peers().length === 2);
  await full.stop();
  return { full, pruned, network, backfill };
}

test('those who have more and are away for a while are waited for', async () => {
  const { full, network, backfill } = await fullOneStops();
  await world.until('one is away', () => network.peers().length === 1);
  let lowest: bigint | undefined;
  const saved: LightBlock[] = [];
  const sink = { save: async (block: LightBlock) => void saved.push(block) };
  void backfill.headers(at(LENGTH).header, sink, ALL).then((height) => {
    lowest = height;
  });
  await world.until('the other has no more', () => saved.length === LENGTH - 50);
  await world.timers.advance(DEFAULT_STATE_SYNC.peersWaitMs / 2);
  await full.start();
  await world.until('it is filled', () => lowest !== undefined);
  expect(lowest).toBe(1n);
});

test('those who are away for too long are not', async () => {
  const { pruned, backfill } = await fullOneStops();
  let lowest: bigint | undefined;
  const fromMs = world.timers.nowMs();
  void backfill.headers(at(LENGTH).header, { save: () => Promise.resolve() }, ALL).then((height) => {
    lowest = height;
  });
  await world.until('it ends', () => lowest !== undefined);
  expect(lowest).toBe(50n);
  expectMissing([pruned], 49n);
  const { peersWaitMs } = DEFAULT_STATE_SYNC;
  expect(world.timers.nowMs() - fromMs).toBeGreaterThanOrEqual(peersWaitMs);
  expect(world.timers.nowMs() - fromMs).toBeLessThan(peersWaitMs + 5_000);
});

test('who is mute, or slow, or busy, holds up the others once, not for each header', async () => {
  const held: readonly RequestHandler[] = [
    () => new Promise(() => undefined),
    (_peer, bytes) =>
      new Promise((resolve) => {
        const block = at(Number(decodeHeightRequest(bytes)));
        world.timers.after(9_000, () => resolve(encodeLightBlockResponse(block)));
      }),
    () => Promise.reject(new LedgerError('test.busy', 'not now')),
  ];
  for (const handler of held) {
    const bad = await newNetwork();
    let asked = 0;
    bad.serve(LIGHT_BLOCK_PROTOCOL.name, (...request) => {
      asked++;
      return handler(...request);
    });
    const fromMs = world.timers.nowMs();
    const { saved, network } = await fill([bad, await peer(1)], ALL);
    expect(heightsOf(saved)).toEqual(down(59, 1));
    expect(world.timers.nowMs() - fromMs).toBeLessThan(2 * DEFAULT_STATE_SYNC.hedgeMs);
    expect(asked).toBeLessThanOrEqual(6); // together, before anything was known of it
    expect(network.metrics.bans).toBe(0);
  }
});

test('one that is slow and the only one is waited for', async () => {
  const slow = await newNetwork();
  slow.serve(LIGHT_BLOCK_PROTOCOL.name, (_peer, bytes) => {
    const block = at(Number(decodeHeightRequest(bytes)));
    return new Promise((resolve) => {
      world.timers.after(2 * DEFAULT_STATE_SYNC.hedgeMs, () => resolve(encodeLightBlockResponse(block)));
    });
  });
  const { saved, network } = await fill([slow, await peer(60)], ALL);
  expect(heightsOf(saved)).toEqual(down(59, 1));
  expect(network.metrics.requestsFailed[LIGHT_BLOCK_PROTOCOL.name] ?? 0).toBe(0);
});

test('without any peer it does not pass for done', async () => {
  const network = await newNetwork();
  const backfill = newBackfill(network);
  let error: unknown;
  const sink = { save: () => Promise.resolve() };
  void backfill.headers(at(LENGTH).header, sink, ALL).catch((thrown: unknown) => {
    error = thrown;
  });
  await world.until('it gives up', () => error !== undefined);
  expect(error).toMatchObject({
    code: 'statesync.no_peers',
    message: expect.stringMatching(
      /^state sync, step back-fill: .+ at height 59 \(no peer is left\): check p2p\.persistent_peers and start the node/,
    ),
  });
});

test('a block that is not that of the trusted header bans its sender; without a right one there is none', async () => {
  const liar = await newNetwork();
  liar.serve(BLOCKS_PROTOCOL.name, () =>
    BlockResponse.encode(BlockResponse.create({ block: utf8('no block') })),
  );
  const network = await newNetwork();
  network.addPersistentPeer(liar.listenAddresses()[0] ?? '');
  await world.until('it is connected', () => network.peers().length === 1);
  const backfill = newBackfill(network);
  let answer: readonly (Uint8Array | undefined)[] = [];
  void backfill.block(at(LENGTH)).then((found) => {
    answer = [found];
  });
  await world.until('it gives up', () => answer.length > 0);
  expect(answer).toEqual([undefined]);
  expect(network.metrics.bans).toBe(1);
});
