/** Whatever is accepted is also gossiped and synced: the largest of each, over real connections. */
import { expect, test } from 'vitest';
import type { Commit, CommitSig } from '../../consensus/types/commit.ts';
import { BLOCK_BYTES_MAX, HEIGHT_MAX, ROUND_MAX, VALIDATORS_MAX } from '../../consensus/types/limits.ts';
import { concatBytes, equalBytes } from '../../core/bytes.ts';
import { defined } from '../../core/errors.ts';
import { BLOCK_BYTES_MAX as BLOCK_BYTES_MAX_OF_PARAMETERS } from '../../modules/consensus/params.ts';
import {
  decodeBlockRequest,
  decodeBlockResponse,
  encodeBlockRequest,
} from '../../node/blocksync/messages.ts';
import { encodeBlockResponse } from '../../node/blocksync/messages.ts';
import { DEFAULT_MEMPOOL_CONFIG } from '../../node/mempool/config.ts';
import { Mempool } from '../../node/mempool/mempool.ts';
import { CountingMetrics, checked, silentLogger } from '../../node/mempool/testing.ts';
import { followPeers, receiveTxs, TxCourier } from '../../node/tx-gossip.ts';
import { BLOCKS_PROTOCOL, CHANNELS, GOSSIPED_TX_BYTES_MAX, PROTOCOLS } from '../../p2p/channels.ts';
import type { Network } from '../../p2p/network.ts';
import { libp2pWorld, until } from '../../p2p/testing.ts';

const REQUEST_TIMEOUT_MS = 30_000;
const world = libp2pWorld();

async function connected(): Promise<readonly [Network, Network]> {
  const options = { channels: CHANNELS, protocols: PROTOCOLS };
  const networks = [await world.create(options), await world.create(options)] as const;
  const [one, other] = networks;
  await one.start();
  await other.start();
  await other.dial(one.listenAddresses()[0] ?? '');
  await until('they are connected', () => networks.every((network) => network.peers().length === 1));
  return networks;
}

/** An entry than which there is no longer one, and a commit of as many as there may be. */
const entry: CommitSig = {
  blockIdFlag: 'commit',
  validatorAddress: new Uint8Array(20).fill(1),
  timestamp: { seconds: 253_402_300_799n, nanos: 999_999_999 },
  signature: new Uint8Array(64).fill(2),
};
const hash = new Uint8Array(32).fill(3);
const commit: Commit = {
  height: HEIGHT_MAX,
  round: ROUND_MAX,
  blockId: { hash, partSetHeader: { total: 336, hash } },
  signatures: new Array<CommitSig>(VALIDATORS_MAX).fill(entry),
};

test('the largest block that parameters may allow is handed over, with the largest commit', async () => {
  expect(BigInt(BLOCK_BYTES_MAX)).toBe(BLOCK_BYTES_MAX_OF_PARAMETERS);
  const blockBytes = new Uint8Array(BLOCK_BYTES_MAX).fill(4);
  const [server, client] = await connected();
  server.serve(BLOCKS_PROTOCOL.name, (_, request) => {
    expect(decodeBlockRequest(request)).toEqual(range);
    return encodeBlockResponse([{ blockBytes, commit }]);
  });
  const range = { height: HEIGHT_MAX, blocksMax: 1 };
  const request = encodeBlockRequest(HEIGHT_MAX);
  const timeoutMs = REQUEST_TIMEOUT_MS;
  const answer = await client.request(server.nodeId, BLOCKS_PROTOCOL.name, request, { timeoutMs });
  const [sent] = decodeBlockResponse(range, answer);
  expect(sent?.commit).toEqual(commit);
  expect(sent !== undefined && equalBytes(sent.blockBytes, blockBytes)).toBe(true);
});

test('the largest transaction that a mempool takes gets to the others, with those around it', async () => {
  const networks = await connected();
  const pools = networks.map((network) => {
    const application = { checkTx: async () => checked(0) };
    const startTimer = (callback: () => void, delayMs: number): (() => void) => {
      const timer = setTimeout(callback, delayMs);
      return () => clearTimeout(timer);
    };
    const after = (delayMs: number, callback: () => void): (() => void) => startTimer(callback, delayMs);
    const courier = new TxCourier({ network, after, waiting: () => mempool });
    const ports = {
      application,
      gossip: courier,
      metrics: new CountingMetrics(),
      logger: silentLogger,
      startTimer,
    };
    const config = { ...DEFAULT_MEMPOOL_CONFIG, txBytesMax: GOSSIPED_TX_BYTES_MAX };
    const mempool: Mempool = new Mempool(ports, config);
    receiveTxs(network, mempool);
    followPeers(network, { mempool, courier });
    return mempool;
  });
  const [near, far] = pools;
  const largest = new Uint8Array(GOSSIPED_TX_BYTES_MAX).fill(7);
  const txs = [
    Uint8Array.of(1),
    largest,
    Uint8Array.of(2),
    concatBytes(Uint8Array.of(3), largest.subarray(1)),
  ];
  for (const tx of txs) expect((await near?.checkTx(tx))?.code).toBe(0);
  await until('the other has all', () => far?.size === txs.length);
  const tooLarge = new Uint8Array(GOSSIPED_TX_BYTES_MAX + 1);
  await expect(defined(near, 'pool').checkTx(tooLarge)).rejects.toThrow('Tx too large');
  for (const pool of pools) pool.stop();
  await world.close();
}, 60_000);
