/** What every implementation of `Network` keeps, on each of them. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { utf8 } from '../core/bytes.ts';
import { DecodeError, LedgerError } from '../core/errors.ts';
import {
  type ChannelSpec,
  DEFAULT_LIMITS,
  type Network,
  type NetworkOptions,
  type ProtocolSpec,
} from './network.ts';
import type { Ban } from './scores.ts';
import { libp2pWorld, memoryWorld, recordingLogger, type World } from './testing.ts';

const CHAT: ChannelSpec = {
  name: 'chat',
  version: 1,
  messageBytesMax: 1000,
  queueBytesMax: 4000,
  inFlightMax: 2,
};
const BULK: ChannelSpec = {
  name: 'bulk',
  version: 1,
  messageBytesMax: 200_000,
  queueBytesMax: 1_000_000,
  inFlightMax: 2,
};
const ECHO: ProtocolSpec = {
  name: 'echo',
  version: 1,
  requestBytesMax: 100,
  responseBytesMax: 300_000,
  concurrentMax: 2,
};
const COMMON: Partial<NetworkOptions> = { channels: [CHAT, BULK], protocols: [ECHO] };
const TIMEOUT = { timeoutMs: 5_000 };

const worlds: readonly (readonly [string, () => World])[] = [
  ['memory', memoryWorld],
  ['libp2p', libp2pWorld],
];

describe.each(worlds)('%s', (name, makeWorld) => {
  let world: World;

  beforeEach(() => {
    world = makeWorld();
  });

  afterEach(async () => {
    await world.close();
  });

  async function pair(
    a: Partial<NetworkOptions> = {},
    b: Partial<NetworkOptions> = {},
  ): Promise<[Network, Network]> {
    const first = await world.create({ ...COMMON, moniker: 'first', ...a });
    const second = await world.create({ ...COMMON, moniker: 'second', ...b });
    await first.start();
    await second.start();
    return [first, second];
  }

  function join(from: Network, to: Network): void {
    from.addPersistentPeer(to.listenAddresses()[0] ?? '');
  }

  async function joined(
    a: Partial<NetworkOptions> = {},
    b: Partial<NetworkOptions> = {},
  ): Promise<[Network, Network]> {
    const [first, second] = await pair(a, b);
    join(first, second);
    await world.until('both have a peer', () => first.peers().length === 1 && second.peers().length === 1);
    return [first, second];
  }

  test('peers know each other after the handshake', async () => {
    const [first, second] = await joined({ latestHeight: () => 7n });
    expect(first.peers()[0]).toMatchObject({
      id: second.nodeId,
      moniker: 'second',
      direction: 'outbound',
      persistent: true,
    });
    expect(second.peers()[0]).toMatchObject({
      id: first.nodeId,
      moniker: 'first',
      direction: 'inbound',
      persistent: false,
      claimedHeight: 7n,
    });
  });

  test('messages arrive whole, once and in order, both ways', async () => {
    const [first, second] = await joined();
    const got: string[] = [];
    second.handle('chat', (_peer, bytes) => void got.push(new TextDecoder().decode(bytes)));
    const back: string[] = [];
    first.handle('chat', (_peer, bytes) => void back.push(new TextDecoder().decode(bytes)));
    const sent = Array.from({ length: 200 }, (_, i) => `message ${i}`);
    for (const text of sent) expect(first.send(second.nodeId, 'chat', utf8(text))).toBe(true);
    expect(second.send(first.nodeId, 'chat', utf8('hello back'))).toBe(true);
    await world.until('all arrived', () => got.length === sent.length && back.length === 1);
    expect(got).toEqual(sent);
    expect(back).toEqual(['hello back']);
  });

  test('large messages arrive byte for byte', async () => {
    const [first, second] = await joined();
    const got: Uint8Array[] = [];
    second.handle('bulk', (_peer, bytes) => void got.push(bytes));
    const message = Uint8Array.from({ length: BULK.messageBytesMax }, (_, i) => (i * 7) % 251);
    expect(first.send(second.nodeId, 'bulk', message)).toBe(true);
    await world.until('it arrived', () => got.length === 1);
    expect(Buffer.from(got[0] ?? []).equals(Buffer.from(message))).toBe(true);
  });

  test('broadcast reaches all but one', async () => {
    const [hub, left] = await joined();
    const right = await world.create({ ...COMMON });
    await right.start();
    join(right, hub);
    await world.until('three are joined', () => hub.peers().length === 2 && right.peers().length === 1);
    const got: string[] = [];
    left.handle('chat', () => void got.push('left'));
    right.handle('chat', () => void got.push('right'));
    expect(hub.broadcast('chat', utf8('x'), left.nodeId)).toBe(1);
    expect(hub.broadcast('chat', utf8('y'))).toBe(2);
    await world.until('three arrived', () => got.length === 3);
    expect(got.toSorted()).toEqual(['left', 'right', 'right']);
  });

  test('a handler that does not finish holds the sender back; nothing that was taken is lost', async () => {
    const [first, second] = await joined();
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    let handled = 0;
    second.handle('bulk', async () => {
      await gate;
      handled++;
    });
    const message = new Uint8Array(100_000).fill(1);
    let taken = 0;
    await world.until('the queue is full', () => {
      const accepted = first.send(second.nodeId, 'bulk', message);
      if (accepted) taken++;
      return !accepted && taken >= 12;
    });
    expect(first.metrics.messagesDropped['bulk']).toBeGreaterThan(0);
    expect(taken * message.length).toBeLessThan(8_000_000);
    expect(handled).toBe(0);
    release();
    await world.until('all that was taken arrived', () => handled === taken);
    expect(first.peers()).toHaveLength(1);
  });

  test('a request is answered; a large answer arrives whole', async () => {
    const [first, second] = await joined();
    second.serve('echo', (peer, bytes) => {
      expect(peer.moniker).toBe('first');
      return new Uint8Array(bytes.length * 1000).fill(9);
    });
    const asked = first.request(second.nodeId, 'echo', new Uint8Array(100).fill(1), TIMEOUT);
    let answer: Uint8Array | undefined;
    void asked.then((bytes) => {
      answer = bytes;
    });
    await world.until('it is answered', () => answer !== undefined);
    expect(answer).toEqual(new Uint8Array(100_000).fill(9));
  });

  test('what goes over each connection is counted, messages and requests, both ways', async () => {
    const [first, second] = await joined();
    expect(first.traffic('nobody')).toBeUndefined();
    expect(first.traffic(second.nodeId)).toMatchObject({ sent: { bytes: 0 }, received: { bytes: 0 } });
    const got: Uint8Array[] = [];
    second.handle('bulk', (_peer, bytes) => void got.push(bytes));
    second.serve('echo', (_peer, bytes) => new Uint8Array(bytes.length * 1000));
    first.send(second.nodeId, 'bulk', new Uint8Array(5_000));
    let answered = false;
    void first.request(second.nodeId, 'echo', new Uint8Array(100), TIMEOUT).then(() => {
      answered = true;
    });
    const bytes = (network: Network, peer: Network, way: 'sent' | 'received'): number =>
      network.traffic(peer.nodeId)?.[way].bytes ?? 0;
    await world.until(
      'both have counted all',
      () => answered && got.length === 1 && bytes(second, first, 'sent') >= 100_000,
    );
    // Payloads, and a few bytes of framing.
    for (const each of [bytes(first, second, 'sent'), bytes(second, first, 'received')]) {
      expect(each).toBeGreaterThanOrEqual(5_100);
      expect(each).toBeLessThan(5_200);
    }
    for (const each of [bytes(first, second, 'received'), bytes(second, first, 'sent')]) {
      expect(each).toBeGreaterThanOrEqual(100_000);
      expect(each).toBeLessThan(100_100);
    }
    expect(first.traffic(second.nodeId)?.received.averageRate).toBeGreaterThan(0);
  });

  test('requests fail clearly: nobody there, nobody serves, no answer in time, too many', async () => {
    const [first, second] = await joined();
    const outcome = async (asked: Promise<Uint8Array>): Promise<unknown> => {
      let seen: unknown;
      void asked.then(
        () => {
          seen = 'answered';
        },
        (error: unknown) => {
          seen = error;
        },
      );
      await world.until('it is settled', () => seen !== undefined);
      return seen;
    };
    expect(await outcome(first.request('nobody', 'echo', utf8('x'), TIMEOUT))).toMatchObject({
      code: 'p2p.disconnected',
    });
    expect(await outcome(first.request(second.nodeId, 'echo', utf8('x'), TIMEOUT))).toMatchObject({
      code: 'p2p.refused',
    });
    second.serve('echo', () => new Promise(() => undefined));
    const slow = [1, 2].map(() => first.request(second.nodeId, 'echo', utf8('x'), { timeoutMs: 300 }));
    for (const request of slow) request.catch(() => undefined);
    expect(await outcome(first.request(second.nodeId, 'echo', utf8('x'), TIMEOUT))).toMatchObject({
      code: 'p2p.busy',
    });
    for (const request of slow) expect(await outcome(request)).toMatchObject({ code: 'p2p.timeout' });
  });

  test('a request under way fails when the peer goes', async () => {
    const [first, second] = await joined();
    let asked = false;
    second.serve('echo', () => {
      asked = true;
      return new Promise(() => undefined);
    });
    let code: unknown;
    first.request(second.nodeId, 'echo', utf8('x'), TIMEOUT).catch((error: unknown) => {
      code = error instanceof Error && 'code' in error ? error.code : error;
    });
    await world.until('it is asked', () => asked);
    await second.stop();
    await world.until('it failed', () => code !== undefined);
    expect(code).toBe('p2p.disconnected');
  });

  test('a handler that rejects bytes gets the peer banned; one with a bug does not', async () => {
    const [first, second] = await joined();
    second.handle('chat', () => {
      throw new Error('a bug');
    });
    second.handle('bulk', () => {
      throw new DecodeError('nonsense');
    });
    first.send(second.nodeId, 'chat', utf8('x'));
    await world.until('the bug is counted', () => second.metrics.handlerErrors['chat'] === 1);
    expect(second.peers()).toHaveLength(1);
    first.send(second.nodeId, 'bulk', utf8('x'));
    await world.until('the peer is gone', () => second.peers().length === 0);
    expect(second.metrics.bans).toBe(1);
    await world.until('a redial failed', () => first.metrics.dialsFailed > 0);
    expect(second.peers()).toHaveLength(0);
  });

  test('listeners hear of sessions that stand, that begin and that end', async () => {
    const [first, second] = await pair();
    const heard: string[] = [];
    const listener = {
      connected: (peer: { moniker: string }) => void heard.push(`+${peer.moniker}`),
      disconnected: (peer: { moniker: string }) => void heard.push(`-${peer.moniker}`),
    };
    first.onPeer(listener);
    join(first, second);
    await world.until('connected', () => heard.length === 1);
    const stop = first.onPeer({ ...listener, connected: (peer) => void heard.push(`again ${peer.moniker}`) });
    stop();
    await second.stop();
    await world.until('disconnected', () => heard.length === 3);
    expect(heard).toEqual(['+second', 'again second', '-second']);
  });

  test('nodes of two chains part, both saying why, and keep running', async () => {
    const logs = [recordingLogger(), recordingLogger()] as const;
    const [first, second] = await pair(
      { chainId: 'chain-a', log: logs[0] },
      { chainId: 'chain-b', log: logs[1] },
    );
    join(first, second);
    await world.until(
      'both refused',
      () => first.metrics.handshakesRefused > 0 && second.metrics.handshakesRefused > 0,
    );
    expect(first.peers()).toEqual([]);
    expect(second.peers()).toEqual([]);
    expect(logs[0].lines.join()).toContain('peer is on chain chain-b, this node on chain-a');
    const third = await world.create({ ...COMMON, chainId: 'chain-a' });
    await third.start();
    join(third, first);
    await world.until('the right chain is let in', () => first.peers().length === 1);
  });

  test('nodes with two genesis documents part', async () => {
    const log = recordingLogger();
    const one = new Uint8Array(32).fill(1);
    const two = new Uint8Array(32).fill(2);
    const [first, second] = await pair({ genesisHash: one, log }, { genesisHash: two });
    join(first, second);
    await world.until('refused', () => first.metrics.handshakesRefused > 0);
    expect(log.lines.join()).toContain('another genesis');
    expect(second.peers()).toEqual([]);
  });

  test('two nodes that dial each other at once end with one session each', async () => {
    const [first, second] = await pair();
    join(first, second);
    join(second, first);
    await world.until('joined', () => first.peers().length === 1 && second.peers().length === 1);
    const got: string[] = [];
    first.handle('chat', () => void got.push('first'));
    second.handle('chat', () => void got.push('second'));
    // What was on its way in the session that gave way is lost: it is sent until it arrives.
    await world.until('messages pass both ways', () => {
      if (!got.includes('second')) first.send(second.nodeId, 'chat', utf8('x'));
      if (!got.includes('first')) second.send(first.nodeId, 'chat', utf8('x'));
      return got.includes('first') && got.includes('second');
    });
    expect(first.peers()).toHaveLength(1);
    expect(second.peers()).toHaveLength(1);
  });

  test('inbound peers over the limit are refused, persistent ones excepted', async () => {
    const [first, second] = await pair({ limits: { ...DEFAULT_LIMITS, inboundPeersMax: 1 } });
    join(second, first);
    await world.until('the first is in', () => first.peers().length === 1);
    const third = await world.create({ ...COMMON, moniker: 'third' });
    await third.start();
    join(third, first);
    await world.until('the third was refused', () => third.metrics.dialsFailed > 0);
    expect(first.peers().map((peer) => peer.moniker)).toEqual(['second']);
    first.addPersistentPeer(third.listenAddresses()[0] ?? '');
    await world.until('it is let in', () => first.peers().length === 2);
  });

  test('a node does not dial itself, nor more than its outbound peers', async () => {
    const limits = { ...DEFAULT_LIMITS, outboundPeersMax: 1 };
    const [first, second] = await pair({ limits });
    const third = await world.create({ ...COMMON });
    await third.start();
    const codes: unknown[] = [];
    const dial = (to: Network): void =>
      void first.dial(to.listenAddresses()[0] ?? '').then(
        () => codes.push('connected'),
        (error: unknown) => codes.push(error instanceof LedgerError ? error.code : error),
      );
    dial(first);
    await world.until('it was refused', () => codes.length === 1);
    dial(second);
    await world.until('one is connected', () => codes.length === 2);
    dial(third);
    await world.until('the other was refused', () => codes.length === 3);
    expect(codes).toEqual(['p2p.self', 'connected', 'p2p.full']);
    expect(first.metrics.refused).toEqual({ 'p2p.self': 1, 'p2p.full': 1 });
    expect(first.peers()).toHaveLength(1);
    expect(first.peers()[0]?.persistent).toBe(false);
  });

  test('no limit counts unconditional and preferred peers', async () => {
    const [first, second] = await pair({ limits: { ...DEFAULT_LIMITS, inboundPeersMax: 0 } });
    join(second, first);
    await world.until('it is refused', () => (first.metrics.refused['p2p.full'] ?? 0) > 0);
    const third = await world.create({
      ...COMMON,
      limits: { ...DEFAULT_LIMITS, inboundPeersMax: 1 },
      unconditionalPeers: [second.nodeId],
    });
    await third.start();
    join(first, third);
    await world.until('one is in', () => third.peers().length === 1);
    join(second, third);
    await world.until('the unconditional one too', () => third.peers().length === 2);
    third.prefer(first.nodeId);
    expect(third.isPreferred(first.nodeId)).toBe(true);
    const fourth = await world.create({ ...COMMON });
    await fourth.start();
    join(fourth, third);
    await world.until('there is room again', () => third.peers().length === 3);
    await first.stop();
    await world.until('it left', () => third.peers().length === 2);
    expect(third.isPreferred(first.nodeId)).toBe(false);
  });

  test('one host has as many peers as it may', async () => {
    const [first, second] = await pair({ limits: { ...DEFAULT_LIMITS, peersPerHostMax: 1 } });
    join(second, first);
    await world.until('one is in', () => first.peers().length === 1);
    const third = await world.create({ ...COMMON });
    await third.start();
    join(third, first);
    if (name === 'memory') await world.until('another host', () => first.peers().length === 2);
    else await world.until('refused', () => (first.metrics.refused['p2p.same_host'] ?? 0) > 0);
  });

  test('a peer that is left did nothing wrong: it may come back', async () => {
    const [first, second] = await joined();
    second.disconnect(first.nodeId, 'no need');
    await world.until('it came back', () => second.metrics.connected === 2);
    expect(second.standing(first.nodeId)).toEqual({ points: 0, bannedForMs: 0 });
  });

  test('a ban is written down, and holds after a restart', async () => {
    let kept: readonly Ban[] = [];
    const banStore = { load: () => kept, save: (bans: readonly Ban[]) => void (kept = bans) };
    const [first, second] = await joined({}, { banStore });
    second.penalize(first.nodeId, { reason: 'lied', points: 60 });
    expect(second.standing(first.nodeId).points).toBeGreaterThan(50);
    second.penalize(first.nodeId, { reason: 'lied', points: 60 });
    expect(kept).toMatchObject([{ peerId: first.nodeId, reason: 'lied', times: 1 }]);
    expect(second.bans()).toHaveLength(1);
    const again = await world.create({ ...COMMON, banStore });
    await again.start();
    join(first, again);
    await world.until('it is refused', () => (again.metrics.refused['p2p.banned'] ?? 0) > 0);
    expect(again.peers()).toEqual([]);
  });

  test('a persistent peer that comes up later is reached', async () => {
    const [first, second] = await pair();
    const address = second.listenAddresses()[0] ?? '';
    await second.stop();
    first.addPersistentPeer(address);
    await world.until('a dial failed', () => first.metrics.dialsFailed > 0);
    expect(first.peers()).toEqual([]);
  });
});
