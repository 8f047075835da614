import { afterEach, beforeEach, expect, test } from 'vitest';
import { AddressBook, DEFAULT_ADDRESS_BOOK } from './address-book.ts';
import { hostAndPort, parseAddress } from './address.ts';
import { ADDRESSES_PROTOCOL } from './channels.ts';
import { DEFAULT_DISCOVERY, Discovery, type DiscoveryLimits } from './discovery.ts';
import { encodeAddressesResponse } from './exchange.ts';
import { DEFAULT_LIMITS, type Network, type NetworkLimits, silentLogger } from './network.ts';
import { libp2pWorld, strangerId, type World } from './testing.ts';
import { systemTimers } from './timers.ts';

const NODES = 5;
const OUTBOUND_MAX = 3;
/** Everything happens in a second or two instead of in minutes. */
const QUICK: DiscoveryLimits = {
  ...DEFAULT_DISCOVERY,
  tickMs: 200,
  tickHungryMs: 50,
  askIntervalMs: 300,
  answerIntervalMs: 100,
  seedIntervalMs: 300,
  seedIntervalMaxMs: 600,
  seedHoldMs: 3_000,
  crawlIntervalMs: 500,
  shortLivedMs: 0,
};

interface Member {
  readonly network: Network;
  readonly book: AddressBook;
  readonly discovery: Discovery;
}

let world: World;
let members: Member[];

beforeEach(() => {
  world = libp2pWorld();
  members = [];
});
afterEach(async () => {
  for (const { discovery } of members) discovery.stop();
  await world.close();
});

/** A node that knows the seed only; without one it is the seed. */
async function join(seed: Network | undefined, limits: Partial<NetworkLimits> = {}): Promise<Member> {
  const network = await world.create({
    protocols: [ADDRESSES_PROTOCOL],
    limits: { ...DEFAULT_LIMITS, outboundPeersMax: OUTBOUND_MAX, ...limits },
  });
  const ports = { timers: systemTimers, random: Math.random };
  const book = new AddressBook(ports, {
    nodeId: network.nodeId,
    strict: false,
    limits: DEFAULT_ADDRESS_BOOK,
  });
  const discovery = new Discovery(
    { ...ports, network, book, log: silentLogger, saveBook: () => undefined },
    {
      seedMode: seed === undefined,
      seeds: seed === undefined ? [] : [...seed.listenAddresses().slice(0, 1)],
      outboundPeersMax: OUTBOUND_MAX,
      privatePeerIds: [],
      persistentPeers: [],
      limits: QUICK,
    },
  );
  await network.start();
  discovery.start();
  const member = { network, book, discovery };
  members.push(member);
  return member;
}

const addressAt = (network: Network): string => network.listenAddresses()[0] ?? '';

function knows({ book }: Member, { network }: Member): boolean {
  return book.save().some(({ address }) => address === addressAt(network));
}

/** Those that can be reached from the first over connections among them. */
function reached(nodes: readonly Member[]): number {
  const byId = new Map(nodes.map((node) => [node.network.nodeId, node]));
  const seen = new Set<string>();
  const todo = nodes.slice(0, 1);
  for (let node = todo.pop(); node !== undefined; node = todo.pop()) {
    if (seen.has(node.network.nodeId)) continue;
    seen.add(node.network.nodeId);
    for (const { id } of node.network.peers()) {
      const next = byId.get(id);
      if (next !== undefined) todo.push(next);
    }
  }
  return seen.size;
}

const LIES = 20;
/** A peer that tells of nobody, of strangers at the places of others, and of the asker itself. */
async function liar(honest: readonly Member[]): Promise<{ readonly network: Network; told: number }> {
  const network = await world.create({ protocols: [ADDRESSES_PROTOCOL] });
  const counter = { network, told: 0 };
  network.serve(ADDRESSES_PROTOCOL.name, (peer) => {
    counter.told++;
    const asker = honest.find((member) => member.network.nodeId === peer.id);
    const places = honest.flatMap((member) => hostAndPort(addressAt(member.network)) ?? []);
    const lies = Array.from({ length: LIES }, (_, i) => {
      const place = places[i % places.length];
      const port = i % 2 === 0 ? 1 : (place?.port ?? 1);
      return `/ip4/127.0.0.1/tcp/${port}/p2p/${strangerId(counter.told * LIES + i)}`;
    });
    const own = asker === undefined ? [] : [addressAt(asker.network)];
    return encodeAddressesResponse([...lies, ...own].flatMap((text) => parseAddress(text) ?? []));
  });
  await network.start();
  for (const member of honest) await network.dial(addressAt(member.network)).catch(() => undefined);
  return counter;
}

test('nodes that know one seed find each other over TCP, and a liar misleads nobody', async () => {
  const seed = await join(undefined);
  const nodes: Member[] = [];
  for (let i = 0; i < NODES; i++) nodes.push(await join(seed.network));
  const lying = await liar([seed, ...nodes]);
  await world.until('each knows each', () =>
    nodes.every((node) => nodes.every((other) => other === node || knows(node, other))),
  );
  await world.until('they are one network', () => reached(nodes) === NODES);
  await world.until('the liar was asked', () => lying.told > 0);
  const places = new Map(
    [seed.network, lying.network, ...nodes.map(({ network }) => network)].map((network) => [
      network.nodeId,
      addressAt(network),
    ]),
  );
  for (const { network, book } of [seed, ...nodes]) {
    const outbound = network.peers().filter(({ direction }) => direction === 'outbound');
    expect(outbound.length).toBeLessThanOrEqual(OUTBOUND_MAX);
    // What is passed on is true: the peer id was met at that place.
    for (const { text, peerId } of book.share(1_000, () => true)) expect(text).toBe(places.get(peerId));
    expect(network.bans().filter(({ peerId }) => peerId !== lying.network.nodeId)).toEqual([]);
  }
}, 60_000);

test('with a limit of peers for each host they find each other within it', async () => {
  const PEERS_MAX = 2;
  const limits = { peersPerHostMax: PEERS_MAX, unlimitedHosts: [] };
  const seed = await join(undefined);
  const nodes: Member[] = [];
  let most = 0;
  for (let i = 0; i < NODES; i++) {
    const node = await join(seed.network, limits);
    const count = (): void => {
      most = Math.max(most, node.network.peers().length);
    };
    node.network.onPeer({ connected: count, disconnected: count });
    nodes.push(node);
  }
  const isNode = new Set(nodes.map(({ network }) => network.nodeId));
  await world.until('each has met another node', () =>
    nodes.every(({ network }) => network.peers().some(({ id }) => isNode.has(id))),
  );
  const refused = (): number =>
    nodes.reduce((sum, { network }) => sum + (network.metrics.refused['p2p.same_host'] ?? 0), 0);
  await world.until('some found no room', () => refused() > 0);
  expect(most).toBe(PEERS_MAX);
}, 60_000);
