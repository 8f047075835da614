/** What went wrong elsewhere with what peers say of other peers. `README.md` lists where. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { utf8 } from '../../core/bytes.ts';
import { AddressBook, DEFAULT_ADDRESS_BOOK } from '../../p2p/address-book.ts';
import { parseAddress } from '../../p2p/address.ts';
import { ADDRESSES_PROTOCOL } from '../../p2p/channels.ts';
import { DEFAULT_DISCOVERY, Discovery } from '../../p2p/discovery.ts';
import { encodeAddressesRequest, encodeAddressesResponse } from '../../p2p/exchange.ts';
import { type Network, silentLogger } from '../../p2p/network.ts';
import { memoryWorld, strangerId } from '../../p2p/testing.ts';

let world: ReturnType<typeof memoryWorld>;
let network: Network;
let peer: Network;
let book: AddressBook;
let discovery: Discovery;

const protocols = [ADDRESSES_PROTOCOL];
const answerOf = (...hosts: readonly string[]): Uint8Array =>
  encodeAddressesResponse(
    hosts.flatMap((host, n) => parseAddress(`/ip4/${host}/tcp/1/p2p/${strangerId(n)}`) ?? []),
  );

/** A node that finds peers, and one that it dials and that answers as it likes. */
function meet(answer: () => Uint8Array): void {
  peer.serve(ADDRESSES_PROTOCOL.name, answer);
  discovery.start();
  void network.dial(peer.listenAddresses()[0] ?? '').catch(() => undefined);
}

beforeEach(async () => {
  world = memoryWorld();
  network = await world.create({ protocols });
  peer = await world.create({ protocols });
  await network.start();
  await peer.start();
  const { timers } = world;
  const random = (): number => 0.5;
  book = new AddressBook(
    { timers, random },
    { nodeId: network.nodeId, strict: true, limits: DEFAULT_ADDRESS_BOOK },
  );
  discovery = new Discovery(
    { network, book, timers, random, log: silentLogger, saveBook: () => undefined },
    {
      seedMode: false,
      seeds: [],
      outboundPeersMax: 4,
      privatePeerIds: [],
      persistentPeers: [],
      limits: DEFAULT_DISCOVERY,
    },
  );
});

afterEach(async () => {
  discovery.stop();
  await world.close();
});

/**
 * Sent: a list of addresses that nobody asked for. There: CometBFT had to add a table of open questions to
 * tell it from an answer (p2p/pex `ErrUnsolicitedList`). Here: an answer travels on the stream of its
 * question; as a message of its own it is a malformed question, and a ban.
 */
test('ErrUnsolicitedList: an answer that nobody asked for is a ban, and nothing of it is kept', async () => {
  discovery.start();
  peer.addPersistentPeer(network.listenAddresses()[0] ?? '');
  await world.until('they meet', () => peer.peers().length === 1);
  peer
    .request(network.nodeId, ADDRESSES_PROTOCOL.name, answerOf('20.1.1.1'), { timeoutMs: 1_000 })
    .catch(() => undefined);
  await world.until('it is banned', () => network.bans().length === 1);
  expect(book.size).toBe(0);
});

/**
 * Sent: questions as fast as the wire takes them. There: each costs the node an answer of 250 addresses,
 * which CometBFT bounds by a least interval (`receiveRequest`). Here: the second is answered with nothing and
 * costs points, the sixth is a ban.
 */
test('a flood of questions is answered once and ends in a ban', async () => {
  discovery.start();
  peer.addPersistentPeer(network.listenAddresses()[0] ?? '');
  await world.until('they meet', () => peer.peers().length === 1);
  for (let n = 0; n < 20 && network.bans().length === 0; n++) {
    let settled = false;
    void peer
      .request(network.nodeId, ADDRESSES_PROTOCOL.name, encodeAddressesRequest(100), { timeoutMs: 1_000 })
      .catch(() => undefined)
      .finally(() => {
        settled = true;
      });
    await world.until('it is settled', () => settled);
  }
  expect(network.bans()).toHaveLength(1);
  expect(discovery.metrics.answered).toBe(1);
});

/**
 * Sent: more addresses than were wanted; one twice; text that is none. Here: the whole answer is refused, its
 * sender banned.
 */
test.each([
  ['more than were wanted', answerOf(...Array.from({ length: 101 }, (_, n) => `20.${n}.1.1`))],
  ['an address twice', new Uint8Array([...answerOf('20.1.1.1'), ...answerOf('20.1.1.1')])],
  ['no address', Uint8Array.of(10, 5, ...utf8('hello'))],
])('an answer with %s is refused whole', async (_what, answer) => {
  meet(() => answer);
  await world.until('it is banned', () => network.bans().length === 1);
  expect(book.size).toBe(0);
});

/**
 * Sent: private, loopback and reserved addresses, to make a node dial into its operator's own network
 * (addr_book_strict in CometBFT). Here: none is kept or dialled.
 */
test('a peer cannot make a node dial into private networks', async () => {
  meet(() => answerOf('10.0.0.1', '127.0.0.1', '192.168.0.1', '169.254.169.254', '0.0.0.0'));
  await world.until('it was asked', () => discovery.metrics.told.refused === 5);
  const { dials } = network.metrics;
  await world.timers.advance(60_000);
  expect(book.size).toBe(0);
  expect(network.metrics.dials).toBe(dials);
});

/**
 * Sent: addresses at which nobody is, again and again. There: false peer ids at true addresses kept nodes
 * from connecting, and their source went unpunished (tendermint/tendermint#2033). Here: they are kept within
 * the limit of one source, forgotten after a few dials, and told to nobody, since nobody was met there.
 */
test('tendermint#2033: addresses at which nobody is stay within a limit and go no further', async () => {
  let asked = 0;
  meet(() => {
    asked++;
    return answerOf(...Array.from({ length: 100 }, (_, n) => `${20 + asked}.${n}.${asked}.1`));
  });
  let most = 0;
  await world.until('it was asked often', () => {
    most = Math.max(most, book.size);
    return asked >= 4;
  });
  expect(most).toBeLessThanOrEqual(DEFAULT_ADDRESS_BOOK.newPerSourceMax);
  expect(book.share(1_000, () => true)).toEqual([]);
});

/**
 * Happened: persistent peers were not dialled again when the first dial failed (tendermint/tendermint#1401)
 * or when they were away for long (#2542), and peer exchange dialled them as well (cometbft/cometbft#3522).
 * Here: an hour later they are still dialled, seconds apart, by nobody else.
 */
test('tendermint#1401, #2542, cometbft#3522: a persistent peer is dialled for ever', async () => {
  const address = peer.listenAddresses()[0] ?? '';
  await peer.stop();
  network.addPersistentPeer(address);
  await world.timers.advance(3_600_000);
  expect(network.metrics.dials).toBeGreaterThan(300);
  await peer.start();
  await world.timers.advance(15_000);
  expect(network.peers()).toHaveLength(1);
});
