import { beforeEach, describe, expect, test } from 'vitest';
import { AddressBook, DEFAULT_ADDRESS_BOOK } from './address-book.ts';
import { type PeerAddress, parseAddress } from './address.ts';
import { ADDRESSES_PROTOCOL } from './channels.ts';
import { DEFAULT_DISCOVERY, Discovery, type DiscoveryOptions } from './discovery.ts';
import { decodeAddressesResponse, encodeAddressesRequest, encodeAddressesResponse } from './exchange.ts';
import { MemoryHub } from './memory.ts';
import { DEFAULT_LIMITS, type Network, silentLogger } from './network.ts';
import { strangerId, testOptions } from './testing.ts';
import { VirtualTimers } from './timers.ts';

const OUTBOUND_MAX = 6;
const INBOUND_MAX = 12;
const LIMITS = { ...DEFAULT_LIMITS, outboundPeersMax: OUTBOUND_MAX, inboundPeersMax: INBOUND_MAX };

interface Member {
  readonly network: Network;
  readonly book: AddressBook;
  readonly discovery: Discovery;
}

let timers: VirtualTimers;
let hub: MemoryHub;
let random: () => number;

beforeEach(() => {
  timers = new VirtualTimers();
  random = lcg(7);
  hub = new MemoryHub({ timers, random, latencyMs: () => 5 + 20 * random(), addressOf });
});

const idOf = (index: number): string => strangerId(1_000_000 + index);
const addressOfIndex = (index: number): string =>
  `/ip4/${20 + (index % 200)}.${index % 250}.0.1/tcp/26656/p2p/${idOf(index)}`;
const indexes = new Map(Array.from({ length: 80 }, (_, index) => [idOf(index), index]));
function addressOf(nodeId: string): string {
  return addressOfIndex(indexes.get(nodeId) ?? -1);
}

/** A generator of its own, so that a run is a function of its seed. */
function lcg(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

async function networkOf(index: number): Promise<Network> {
  const network = hub.createNetwork(
    idOf(index),
    testOptions({ protocols: [ADDRESSES_PROTOCOL], limits: LIMITS }),
  );
  await network.start();
  return network;
}

async function join(index: number, options: Partial<DiscoveryOptions> = {}): Promise<Member> {
  return startDiscovery(await networkOf(index), options);
}

function startDiscovery(network: Network, options: Partial<DiscoveryOptions> = {}): Member {
  const book = new AddressBook(
    { timers, random },
    { nodeId: network.nodeId, strict: true, limits: DEFAULT_ADDRESS_BOOK },
  );
  const discovery = new Discovery(
    { network, book, timers, random, log: silentLogger, saveBook: () => undefined },
    {
      seedMode: false,
      seeds: [addressOfIndex(0)],
      outboundPeersMax: OUTBOUND_MAX,
      privatePeerIds: [],
      persistentPeers: [],
      limits: DEFAULT_DISCOVERY,
      ...options,
    },
  );
  discovery.start();
  return { network, book, discovery };
}

/** Those that can be reached from the first over connections among them. */
function reached(members: readonly Member[]): number {
  const byId = new Map(members.map((member) => [member.network.nodeId, member]));
  const seen = new Set<string>();
  const todo = members.slice(0, 1);
  for (let member = todo.pop(); member !== undefined; member = todo.pop()) {
    if (seen.has(member.network.nodeId)) continue;
    seen.add(member.network.nodeId);
    for (const { id } of member.network.peers()) {
      const next = byId.get(id);
      if (next !== undefined) todo.push(next);
    }
  }
  return seen.size;
}

const count = (network: Network, direction: string): number =>
  network.peers().filter((peer) => peer.direction === direction).length;

const BOGUS = 5_000_000;
let bogus = 0;
/** A public address at which nobody is. */
function bogusAddress(): string {
  bogus++;
  return `/ip4/${30 + (bogus % 150)}.${(bogus * 7) % 250}.9.9/tcp/1/p2p/${strangerId(BOGUS + bogus)}`;
}
function told(...addresses: readonly string[]): Uint8Array {
  return encodeAddressesResponse(addresses.flatMap((text) => parseAddress(text) ?? []));
}

/** Dials everybody honest, and answers who asks. */
async function liar(index: number, lie: (asker: string) => Uint8Array): Promise<Network> {
  const network = await networkOf(index);
  network.serve(ADDRESSES_PROTOCOL.name, (peer) => lie(peer.id));
  return network;
}

async function simulate(seedMode: boolean): Promise<void> {
  const seed = await join(0, { seedMode, seeds: [] });
  const honest = [seed];
  for (let index = 1; index < 50; index++) honest.push(await join(index));
  const liars: Network[] = [];
  for (let index = 50; index < 60; index++) {
    const kind = index % 5;
    const private_ = [1, 2, 3].map((i) => `/ip4/10.0.${index}.${i}/tcp/26656/p2p/${strangerId(i)}`);
    if (kind === 1) liars.push(await liar(index, (asker) => told(addressOf(asker))));
    else if (kind === 2) liars.push(await liar(index, () => told(...private_)));
    else liars.push(await liar(index, () => told(...Array.from({ length: 100 }, bogusAddress))));
  }
  for (const each of liars)
    for (const { network } of honest) void each.dial(addressOf(network.nodeId)).catch(() => undefined);
  await timers.advance(60_000);
  // Two of them send answers that nobody asked for, as if they were questions.
  for (const each of [liars[0], liars[5]])
    for (const peer of each?.peers() ?? [])
      void each
        ?.request(peer.id, ADDRESSES_PROTOCOL.name, told(bogusAddress()).subarray(0, 16), {
          timeoutMs: 1_000,
        })
        .catch(() => undefined);
  await timers.advance(120_000);

  const nodes = seedMode ? honest.slice(1) : honest;
  expect(reached(nodes)).toBe(nodes.length);
  const ids = new Set(honest.map(({ network }) => network.nodeId));
  for (const { network, book } of honest) {
    expect(count(network, 'outbound')).toBeLessThanOrEqual(OUTBOUND_MAX);
    expect(count(network, 'inbound')).toBeLessThanOrEqual(INBOUND_MAX);
    expect(network.bans().filter(({ peerId }) => ids.has(peerId))).toEqual([]);
    const shared = book.share(1_000, () => true);
    for (const { peerId } of shared) expect(indexes.has(peerId)).toBe(true);
    for (const { address } of book.save()) {
      expect(parseAddress(address)?.routable).toBe(true);
      expect(address.endsWith(network.nodeId)).toBe(false);
    }
    expect(book.size - shared.length).toBeLessThanOrEqual(4 * 128 * 2);
  }
  for (const { network } of nodes)
    expect(count(network, 'outbound')).toBeGreaterThanOrEqual(OUTBOUND_MAX / 2);
  for (const { discovery, network } of honest) {
    discovery.stop();
    await network.stop();
  }
}

describe('fifty nodes and ten liars', () => {
  test('find each other from one ordinary node', () => simulate(false), 60_000);
  test('find each other from one seed', () => simulate(true), 60_000);
});

describe('a node that needs peers', () => {
  const known = 5;

  /** An ordinary node that others use as their seed; it has met one node. */
  async function seedThatKnowsOne(): Promise<Member> {
    const seed = await join(0, { seeds: [], outboundPeersMax: 0 });
    await dialled(await networkOf(known), 0);
    return seed;
  }
  const isMet = ({ network }: Member): boolean => network.peers().some(({ id }) => id === idOf(known));

  test('asks its seed also when the seed has come to it', async () => {
    const seed = await seedThatKnowsOne();
    const network = await networkOf(1);
    await dialled(seed.network, 1);
    expect(network.peers()).toMatchObject([{ direction: 'inbound', id: idOf(0) }]);
    const node = startDiscovery(network);
    expect(await timers.advanceUntil(() => isMet(node), 30_000)).toBe(true);
  });

  test('goes to its seed while peers tell it of nobody but invented ones', async () => {
    const node = await join(1);
    const inventor = await liar(2, () => told(...Array.from({ length: 100 }, bogusAddress)));
    // The seed is not there yet, so that the liar is the first that it asks.
    node.book.add(parsed(addressOfIndex(2)), { peerId: idOf(2), group: '20.1' });
    await timers.advance(60_000);
    expect(inventor.peers()).toHaveLength(1);
    await seedThatKnowsOne();
    expect(await timers.advanceUntil(() => isMet(node), 300_000)).toBe(true);
  });

  test('gives up one of those that it has for another now and then', async () => {
    const others = [await networkOf(2), await networkOf(3)];
    const node = await join(1, { seeds: [], outboundPeersMax: 1 });
    const met = new Set<string>();
    node.network.onPeer({ connected: ({ id }) => met.add(id), disconnected: () => undefined });
    for (const index of [2, 3])
      node.book.add(parsed(addressOfIndex(index)), { peerId: idOf(9), group: '9.9' });
    await timers.advance(DEFAULT_DISCOVERY.rotateIntervalMs / 2);
    expect(met.size).toBe(1);
    const ids = others.map(({ nodeId }) => nodeId);
    expect(
      await timers.advanceUntil(() => met.size === ids.length, 2 * DEFAULT_DISCOVERY.rotateIntervalMs),
    ).toBe(true);
    expect(count(node.network, 'outbound')).toBe(1);
  });

  test('keeps a validator for as long as it is one', async () => {
    for (const index of [2, 3]) await networkOf(index);
    const node = await join(1, { seeds: [], outboundPeersMax: 1 });
    for (const index of [2, 3])
      node.book.add(parsed(addressOfIndex(index)), { peerId: idOf(9), group: '9.9' });
    await timers.advance(5_000);
    const [peer] = node.network.peers();
    node.network.prefer(peer?.id ?? '');
    await timers.advance(3 * DEFAULT_DISCOVERY.rotateIntervalMs);
    expect(node.network.peers()).toEqual([peer]);
  });

  test('asks those who came to it, when it has chosen nobody', async () => {
    const [node, other] = [await join(1, { seeds: [] }), await seedThatKnowsOne()];
    await dialled(other.network, 1);
    expect(await timers.advanceUntil(() => isMet(node), 60_000)).toBe(true);
  });
});

test('a node that has met a private peer tells nobody of it', async () => {
  const [hidden, shown] = [2, 3];
  const { network } = await join(0, { seeds: [], outboundPeersMax: 0, privatePeerIds: [idOf(hidden)] });
  for (const index of [hidden, shown]) await dialled(await networkOf(index), 0);
  const asker = await networkOf(1);
  await dialled(asker, 0);
  const response = asker.request(network.nodeId, ADDRESSES_PROTOCOL.name, encodeAddressesRequest(100), {
    timeoutMs: 5_000,
  });
  await timers.advance(1_000);
  const told = decodeAddressesResponse(await response, 100);
  expect(told.map(({ peerId }) => peerId)).toEqual([idOf(shown)]);
});

async function dialled(network: Network, index: number): Promise<void> {
  const connected = network.dial(addressOfIndex(index));
  await timers.advance(1_000);
  await connected;
}

function parsed(text: string): PeerAddress {
  const address = parseAddress(text);
  if (address === undefined) throw new Error(text);
  return address;
}
