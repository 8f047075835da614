/** What went wrong elsewhere with the claims of block sync peers. `README.md` lists the advisories. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { StoredRange } from '../../node/blocksync/messages.ts';
import { BlockSync, DEFAULT_BLOCK_SYNC } from '../../node/blocksync/block-sync.ts';
import { encodeBlockResponse, encodeRange } from '../../node/blocksync/messages.ts';
import type { SyncStore, SyncTarget } from '../../node/blocksync/ports.ts';
import { LedgerError } from '../../core/errors.ts';
import { BLOCKS_PROTOCOL, CHANNELS, PROTOCOLS } from '../../p2p/channels.ts';
import { type Network, silentLogger } from '../../p2p/network.ts';
import { memoryWorld } from '../../p2p/testing.ts';
import { allEntries, commitOf } from './signed-chain.ts';

/** A node of four validators that has ten blocks and takes no other. */
class AtTen implements SyncStore, SyncTarget {
  joined = false;
  range(): StoredRange {
    return { base: 1n, height: 10n };
  }
  blockBytes(): undefined {
    return undefined;
  }
  commit(): undefined {
    return undefined;
  }
  nextHeight(): bigint {
    return 11n;
  }
  applySynced(): Promise<void> {
    return Promise.reject(new LedgerError('sync.invalid_block', 'no such block'));
  }
  consensus(): undefined {
    return undefined;
  }
  decidesAlone(): boolean {
    return false;
  }
  joinConsensus(): void {
    this.joined = true;
  }
  onEvent(): () => void {
    return () => undefined;
  }
}

let world: ReturnType<typeof memoryWorld>;
let network: Network;
let node: AtTen;
let sync: BlockSync;

beforeEach(async () => {
  world = memoryWorld();
  network = await world.create({ channels: CHANNELS, protocols: PROTOCOLS });
  await network.start();
  node = new AtTen();
  sync = new BlockSync(
    { network, store: node, target: node, timers: world.timers, log: silentLogger },
    DEFAULT_BLOCK_SYNC,
  );
  sync.start();
});

afterEach(async () => {
  sync.stop();
  await world.close();
});

/** Connects a peer that claims these ranges, one after the other, and never answers a request unless told. */
async function peer(
  claims: readonly StoredRange[],
  answer: () => Uint8Array | Promise<Uint8Array> = () => new Promise<Uint8Array>(() => undefined),
): Promise<Network> {
  const made = await world.create({ channels: CHANNELS, protocols: PROTOCOLS });
  made.handle('sync', () => undefined);
  made.serve(BLOCKS_PROTOCOL.name, () => answer());
  made.onPeer({
    connected: ({ id }) => {
      for (const range of claims) made.send(id, 'sync', encodeRange(range));
    },
    disconnected: () => undefined,
  });
  await made.start();
  network.addPersistentPeer(made.listenAddresses()[0] ?? '');
  return made;
}

const atTheTip: StoredRange = { base: 1n, height: 10n };
const joinsWithin = async (limitMs: number): Promise<void> => {
  await world.timers.advance(limitMs);
  expect(node.joined).toBe(true);
};

/**
 * Sent: great heights that nobody has, and blocks that are none. There: a peer could make a syncing node
 * panic, or keep it in block sync for ever. Here: a bad block bans, a claim that is not kept is forgotten,
 * and a clock of the node's own ends the wait.
 */
test('ASA-2024-008 (GHSA-hg58-rf2h-6rr7): a peer that claims what nobody has, silent, empty or with rubbish', async () => {
  await peer([atTheTip]);
  await peer([{ base: 1n, height: (1n << 63n) - 1n }]);
  await peer([{ base: 1n, height: 500n }], () => encodeBlockResponse([]));
  await peer([{ base: 1n, height: 500n }], () => Uint8Array.of(0xff, 0xff));
  await peer([{ base: 1n, height: 500n }], () =>
    encodeBlockResponse([
      { blockBytes: new Uint8Array(9), commit: { ...commitOf(allEntries), height: 11n } },
    ]),
  );
  await joinsWithin(DEFAULT_BLOCK_SYNC.patienceMs + 2_000);
  expect(network.metrics.bans).toBeGreaterThanOrEqual(2);
});

/**
 * Sent: a great height, then a lower one. There: the target was only ever raised, so the node tried to get to
 * the greater one for ever. Here: the later claim replaces the earlier.
 */
test('ASA-2025-001 (GHSA-22qq-3xwm-r5x4): a peer that claims a great height and then a lower one', async () => {
  await peer([{ base: 1n, height: 2_000n }, atTheTip]);
  await peer([atTheTip]);
  await joinsWithin(DEFAULT_BLOCK_SYNC.requestTimeoutMs);
  expect(sync.isCatchingUp()).toBe(false);
});

/**
 * Sent: a range that begins far above what is needed. There: the height counted as the target although the
 * peer could give no block that was needed, and a restarted node never left block sync. Here: who cannot
 * give the next block does not count, and is not asked.
 */
test('#5801: a peer with an inflated base', async () => {
  await peer([{ base: 1_000_000n, height: 2_000_000n }]);
  await peer([atTheTip]);
  await joinsWithin(DEFAULT_BLOCK_SYNC.graceMs + 1_000);
  expect([sync.isCatchingUp(), sync.metrics.requestsFailed, network.metrics.penalties]).toEqual([
    false,
    0,
    0,
  ]);
});
