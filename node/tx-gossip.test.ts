import { expect, test } from 'vitest';
import { toHex } from '../core/bytes.ts';
import { CHANNELS, TXS_CHANNEL } from '../p2p/channels.ts';
import type { Network } from '../p2p/network.ts';
import { memoryWorld } from '../p2p/testing.ts';
import { Txs } from '../proto/gen/tendermint/mempool/types.ts';
import { DEFAULT_MEMPOOL_CONFIG } from './mempool/config.ts';
import { Mempool } from './mempool/mempool.ts';
import { CountingMetrics, checked, silentLogger } from './mempool/testing.ts';
import { followPeers, receiveTxs, TxCourier } from './tx-gossip.ts';

test('a transaction reaches the far end of a chain of nodes that keep each other as persistent peers', async () => {
  const world = memoryWorld();
  const startTimer = (callback: () => void, delayMs: number): (() => void) =>
    world.timers.after(delayMs, callback);
  const nodes: { readonly network: Network; readonly mempool: Mempool }[] = [];
  for (let i = 0; i < 4; i++) {
    const network = await world.create({ channels: CHANNELS });
    const metrics = new CountingMetrics();
    const application = { checkTx: async () => checked(0) };
    const after = (delayMs: number, callback: () => void): (() => void) => startTimer(callback, delayMs);
    const courier = new TxCourier({ network, after, waiting: () => mempool });
    const ports = { application, gossip: courier, metrics, logger: silentLogger, startTimer };
    const mempool: Mempool = new Mempool(ports, DEFAULT_MEMPOOL_CONFIG);
    receiveTxs(network, mempool);
    followPeers(network, { mempool, courier });
    await network.start();
    nodes.push({ network, mempool });
  }
  for (const [i, { network }] of nodes.entries()) {
    for (const neighbour of [nodes[i - 1], nodes[i + 1]]) {
      const address = neighbour?.network.listenAddresses()[0];
      if (address !== undefined) network.addPersistentPeer(address);
    }
  }
  await world.until('each node knows its neighbours', () =>
    nodes.every(({ network }, i) => network.peers().length === (i === 0 || i === 3 ? 1 : 2)),
  );
  const tx = Uint8Array.of(1, 2, 3);
  const [first, , , last] = nodes;
  await first?.mempool.checkTx(tx);
  await world.until('the far end has it', () => last?.mempool.size === 1);
  expect(last?.mempool.list(1).map(toHex)).toEqual([toHex(tx)]);
  for (const { mempool } of nodes) mempool.stop();
  await world.close();
});

interface Line {
  readonly courier: TxCourier;
  /** What each peer took, as lists of first bytes. */
  readonly taken: Map<string, number[]>;
  /** Lets the peers take messages again, or no more. */
  open: boolean;
  /** Lets the retry timer fire. */
  fire(): void;
  isWaiting(): boolean;
}

/** A courier over a pool of transactions 0, 1, 2 … of one byte, the even ones of which came from peer `even`. */
function line(peers: readonly string[], poolSize: number): Line {
  const pool = Array.from({ length: poolSize }, (_, i) => ({ order: i, from: i % 2 === 0 ? 'even' : 'odd' }));
  const taken = new Map<string, number[]>(peers.map((id) => [id, []]));
  let retry: (() => void) | undefined;
  const result: Line = {
    open: true,
    taken,
    fire: () => {
      const callback = retry;
      retry = undefined;
      callback?.();
    },
    isWaiting: () => retry !== undefined,
    courier: new TxCourier({
      network: {
        peers: () => peers.map((id) => ({ id })),
        send: (peer, _channel, bytes) => {
          if (!result.open) return false;
          for (const tx of Txs.decode(bytes).txs) taken.get(peer)?.push(tx[0] ?? -1);
          return true;
        },
      },
      after: (_delayMs, callback) => {
        retry = callback;
        return () => {
          retry = undefined;
        };
      },
      waiting: () => ({
        waitingFrom: (first, peer) => {
          const rest = pool.filter(({ order, from }) => order >= first && from !== peer);
          return { txs: rest.slice(0, 2).map(({ order }) => Uint8Array.of(order)), next: rest[2]?.order };
        },
      }),
    }),
  };
  return result;
}

test('a batch goes to every peer but those that sent it', () => {
  const sentTo = (peers: readonly string[], senders: readonly string[]): readonly string[] => {
    const { courier, taken } = line(peers, 0);
    courier.publish({ txs: [Uint8Array.of(1)], senders, first: 1 });
    return peers.filter((peer) => taken.get(peer)?.length === 1);
  };
  expect(sentTo(['a', 'b', 'c'], ['b'])).toEqual(['a', 'c']);
  expect(sentTo(['a', 'b', 'c'], ['b', 'a'])).toEqual(['c']);
  expect(sentTo(['a', 'b'], [])).toEqual(['a', 'b']);
  expect(sentTo(['b'], ['b'])).toEqual([]);
  expect(sentTo([], [])).toEqual([]);
});

test('a peer that connects is given what waits, without what it sent itself', () => {
  const { courier, taken } = line(['even', 'new'], 7);
  courier.connected('new');
  courier.connected('even');
  expect(taken.get('new')).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(taken.get('even')).toEqual([1, 3, 5]);
});

test('what a full queue refused is sent later, in order, and nothing before it', () => {
  const peer = line(['new'], 6);
  peer.open = false;
  peer.courier.publish({ txs: [Uint8Array.of(2)], senders: [], first: 2 });
  peer.open = true;
  // It is behind: what follows must wait for what it lacks.
  peer.courier.publish({ txs: [Uint8Array.of(5)], senders: [], first: 5 });
  expect(peer.taken.get('new')).toEqual([]);
  peer.open = false;
  peer.fire();
  expect(peer.taken.get('new')).toEqual([]);
  peer.open = true;
  peer.fire();
  expect(peer.taken.get('new')).toEqual([2, 3, 4, 5]);
  expect(peer.isWaiting()).toBe(false);
  peer.courier.publish({ txs: [Uint8Array.of(6)], senders: [], first: 6 });
  expect(peer.taken.get('new')).toEqual([2, 3, 4, 5, 6]);
});

test('a transaction that no message can carry is not sent, and holds up no other', () => {
  const peer = line(['new'], 0);
  const first = 1;
  peer.courier.publish({ txs: [new Uint8Array(TXS_CHANNEL.messageBytesMax)], senders: [], first });
  expect(peer.isWaiting()).toBe(false);
  expect(peer.taken.get('new')).toEqual([]);
});

test('too many transactions in one message are refused before they are decoded', async () => {
  let handle: ((peer: { readonly id: string }, bytes: Uint8Array) => unknown) | undefined;
  const network = {
    handle: (_channel: string, handler: typeof handle) => {
      handle = handler;
    },
  };
  const received: number[] = [];
  const mempool = { receive: (txs: readonly Uint8Array[]) => received.push(txs.length), peerLeft: () => {} };
  receiveTxs(network as unknown as Network, mempool as never);
  const give = (bytes: Uint8Array): unknown => handle?.({ id: 'peer' }, bytes);
  const empty = (count: number): Uint8Array => Txs.encode({ txs: Array(count).fill(new Uint8Array(0)) });
  give(empty(10_000));
  expect(received).toEqual([10_000]);
  expect(() => give(empty(10_001))).toThrow();
  expect(() => give(empty(0))).toThrow('empty');
  expect(() => give(Uint8Array.of(0x0a, 5, 1))).toThrow();
  expect(received).toEqual([10_000]);
});
