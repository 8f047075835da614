import { expect, test } from 'vitest';
import { toHex } from '../core/bytes.ts';
import { CHANNELS } from '../p2p/channels.ts';
import type { Network } from '../p2p/network.ts';
import { memoryWorld } from '../p2p/testing.ts';
import { DEFAULT_MEMPOOL_CONFIG } from './mempool/config.ts';
import { Mempool } from './mempool/mempool.ts';
import { CountingMetrics, checked, silentLogger } from './mempool/testing.ts';
import { receiveTxs, txGossip } from './tx-gossip.ts';

test('a transaction reaches the far end of a chain of nodes that keep each other as persistent peers', async () => {
  const world = memoryWorld();
  const startTimer = (callback: () => void, delayMs: number): (() => void) =>
    world.timers.after(delayMs, callback);
  const nodes: { readonly network: Network; readonly mempool: Mempool }[] = [];
  for (let i = 0; i < 4; i++) {
    const network = await world.create({ channels: CHANNELS });
    const metrics = new CountingMetrics();
    const application = { checkTx: async () => checked(0) };
    const ports = { application, gossip: txGossip(network), metrics, logger: silentLogger, startTimer };
    const mempool = new Mempool(ports, DEFAULT_MEMPOOL_CONFIG);
    receiveTxs(network, mempool);
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

test('a batch goes to every peer but the one it came from', () => {
  const sent: string[] = [];
  const peersOf = (...ids: readonly string[]): readonly { readonly id: string }[] =>
    ids.map((id) => ({ id }));
  const publish = (
    peers: readonly { readonly id: string }[],
    origin: string | undefined,
  ): readonly string[] => {
    sent.length = 0;
    txGossip({
      peers: () => peers,
      send: (peer) => sent.push(peer) > 0,
    }).publish([Uint8Array.of(1)], origin);
    return [...sent];
  };
  expect(publish(peersOf('a', 'b', 'c'), 'b')).toEqual(['a', 'c']);
  expect(publish(peersOf('a', 'b'), undefined)).toEqual(['a', 'b']);
  expect(publish(peersOf('b'), 'b')).toEqual([]);
  expect(publish([], undefined)).toEqual([]);
});
