/** The stores of a node that began with a snapshot: its lowest block, and headers below it. */
import { beforeEach, expect, test } from 'vitest';
import type { Header } from '../consensus/types/header.ts';
import { BlockStore } from './blockstore/block-store.ts';
import { EvidencePool } from './evidence/evidence-pool.ts';
import { EvidenceStore } from './evidence/evidence-store.ts';
import {
  memoryDatabase,
  quiet,
  TestChain,
  testEvidence,
  testVerify,
  validatorsAt,
} from './evidence/testing.ts';
import { evidenceChain } from './node-stores.ts';
import { ServedBlocks } from './served-blocks.ts';
import { StateStore } from './state/state-store.ts';
import { commitAt, headerAt as chainHeaderAt, stateAt, TEST_BLOCK_ID as blockId } from './testing.ts';

const HEIGHT = 50n;
const chain = new TestChain(HEIGHT);
const headerAt = (height: bigint): Header => chainHeaderAt(chain, height);
const state = stateAt(chain, HEIGHT);

let databases: {
  readonly blocks: ReturnType<typeof memoryDatabase>;
  readonly state: ReturnType<typeof memoryDatabase>;
};
let stores: { blocks: BlockStore; state: StateStore };

async function open(): Promise<void> {
  stores = {
    blocks: await BlockStore.open('memory', async () => databases.blocks),
    state: await StateStore.open('memory', async () => databases.state),
  };
}

beforeEach(async () => {
  databases = { blocks: memoryDatabase(), state: memoryDatabase() };
  await open();
  await stores.blocks.save({
    meta: { blockId, blockSize: 0n, header: headerAt(HEIGHT), numTxs: 0n },
    parts: [],
    lastCommit: commitAt(HEIGHT - 1n),
    seenCommit: commitAt(HEIGHT),
  });
  await stores.state.bootstrap(state);
});

async function fillTo(lowest: bigint): Promise<void> {
  for (let height = stores.blocks.headersFrom() - 1n; height >= lowest; height--) {
    await stores.state.saveOlderValidators(height, validatorsAt(height));
    await stores.blocks.saveHeader(headerAt(height), commitAt(height));
  }
}

async function openPool(): Promise<EvidencePool> {
  const store = await EvidenceStore.open('memory', async () => memoryDatabase());
  const ports = { store, chain: evidenceChain(stores), verify: testVerify, log: quiet };
  return EvidencePool.open(ports, chain.state());
}

test('the state that was begun with is there after a restart, with its three validator sets', async () => {
  await open();
  expect(stores.state.load()).toEqual(state);
  for (const height of [HEIGHT, HEIGHT + 1n, HEIGHT + 2n])
    expect(stores.state.validators(height)).toEqual(validatorsAt(height));
  expect(stores.state.validators(HEIGHT - 1n)).toBeUndefined();
  expect(stores.state.consensusParams(HEIGHT + 1n)).toBeDefined();
  expect(stores.blocks.range()).toEqual({ base: HEIGHT, height: HEIGHT });
});

test('evidence about back-filled heights can be judged, about lower ones not', async () => {
  const before = await openPool();
  expect(() => before.add(testEvidence(HEIGHT - 5n))).toThrow('no block of the height');
  await fillTo(HEIGHT - 5n);
  await open();
  const pool = await openPool();
  expect(pool.add(testEvidence(HEIGHT - 5n))).toBe('added');
  expect(() => pool.add(testEvidence(HEIGHT - 6n))).toThrow('no block of the height');
  expect(stores.blocks.range()).toEqual({ base: HEIGHT, height: HEIGHT });
});

test('light blocks of back-filled heights are served, and headers are filled from the top down only', async () => {
  await fillTo(HEIGHT - 3n);
  const headers = new ServedBlocks(stores, quiet);
  expect(headers.header(HEIGHT - 3n)).toEqual(headerAt(HEIGHT - 3n));
  expect(headers.commit(HEIGHT - 3n)).toEqual(commitAt(HEIGHT - 3n));
  expect(headers.validators(HEIGHT - 3n)).toEqual(validatorsAt(HEIGHT - 3n));
  expect(headers.header(HEIGHT - 4n)).toBeUndefined();
  await expect(stores.blocks.saveHeader(headerAt(HEIGHT - 9n), commitAt(HEIGHT - 9n))).rejects.toThrow(
    'top down',
  );
});

test('pruning keeps the headers that evidence needs and takes those below', async () => {
  await fillTo(1n);
  const pool = await openPool();
  const keep = pool.keepFrom(HEIGHT);
  expect(keep).toBe(HEIGHT - 20n); // 20 blocks and 100 seconds, ten seconds each
  await stores.blocks.prune(keep);
  expect(stores.blocks.headersFrom()).toBe(keep);
  expect(stores.blocks.meta(keep - 1n)).toBeUndefined();
  expect(stores.blocks.meta(keep)).toBeDefined();
  await open();
  expect(stores.blocks.headersFrom()).toBe(keep);
  await stores.blocks.prune(HEIGHT);
  expect(stores.blocks.headersFrom()).toBe(HEIGHT);
  expect(stores.blocks.meta(HEIGHT - 1n)).toBeUndefined();
  expect(stores.blocks.canonicalCommit(HEIGHT - 1n)).toBeDefined(); // the last commit of the lowest block
});
