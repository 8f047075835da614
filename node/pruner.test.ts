/** Forgetting blocks: while they are synced, what a crash leaves; how many at once; below a state sync's first block. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Block, cutBlock, dataHash } from '../consensus/types/block.ts';
import { ABSENT_COMMIT_SIG, commitHash, EMPTY_COMMIT } from '../consensus/types/commit.ts';
import { evidenceListHash } from '../consensus/types/evidence.ts';
import { DEFAULT_CONSENSUS_PARAMS } from '../consensus/types/params.ts';
import { EMPTY_BYTES } from '../core/bytes.ts';
import { defined } from '../core/errors.ts';
import { ResponseFinalizeBlock } from '../proto/gen/tendermint/abci/types.ts';
import { BlockStore } from './blockstore/block-store.ts';
import type { Database } from './database.ts';
import { Checkpoints } from './engine/checkpoints.ts';
import { memoryDatabase, TestChain, validatorsAt } from './evidence/testing.ts';
import { DatabaseGroup, HELD_BLOCKS_MAX } from './held-writes.ts';
import { DEFAULT_INDEXER_CONFIG } from './indexer/config.ts';
import { Indexer } from './indexer/indexer.ts';
import { LevelDatabase } from './indexer/level-database.ts';
import { executedBlock } from './node-stores.ts';
import { Pruner } from './pruner.ts';
import { parseQuery } from './query.ts';
import type { ChainState } from './state/chain-state.ts';
import { StateStore } from './state/state-store.ts';

const KEEP = 8n;
/** As docs/operations/pruning.md says. */
const AT_ONCE = 100n;
const chain = new TestChain(1_000n);

function blockAt(height: bigint): Block {
  const lastCommit = commitAt(height - 1n);
  const hashes = {
    lastCommitHash: commitHash(lastCommit),
    dataHash: dataHash([]),
    evidenceHash: evidenceListHash([]),
  };
  const header = { ...defined(chain.header(height), 'header'), ...hashes };
  return { header, txs: [], evidence: [], lastCommit };
}

const blockId = {
  hash: new Uint8Array(32).fill(1),
  partSetHeader: { total: 1, hash: new Uint8Array(32).fill(2) },
};
const commitAt = (height: bigint): typeof EMPTY_COMMIT =>
  height === 0n ? EMPTY_COMMIT : { ...EMPTY_COMMIT, height, blockId, signatures: [ABSENT_COMMIT_SIG] };

const stateAt = (height: bigint): ChainState => ({
  chainId: 'test',
  initialHeight: 1n,
  lastBlockHeight: height,
  lastBlockId: cutBlock(blockAt(height)).blockId,
  lastBlockTime: blockAt(height).header.time,
  lastValidators: validatorsAt(height),
  validators: validatorsAt(height + 1n),
  nextValidators: validatorsAt(height + 2n),
  lastHeightValidatorsChanged: height + 2n,
  consensusParams: DEFAULT_CONSENSUS_PARAMS,
  lastHeightConsensusParamsChanged: 1n,
  appHash: EMPTY_BYTES,
  lastResultsHash: EMPTY_BYTES,
});

const errors: string[] = [];
const logger = { debug: () => {}, error: (_facts: unknown, message: string) => void errors.push(message) };

let directory: string;
let disk: { readonly blocks: Database; readonly state: Database };
let index: Indexer;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'pruner-'));
  disk = { blocks: memoryDatabase(), state: memoryDatabase() };
  const database = await LevelDatabase.open(directory);
  const blocks = { slice: () => undefined, txResult: () => undefined };
  index = new Indexer({ database, blocks, logger }, DEFAULT_INDEXER_CONFIG);
});

afterEach(async () => {
  await index.close();
  rmSync(directory, { recursive: true });
  expect(errors.splice(0)).toEqual([]);
});

interface TestStores {
  readonly blocks: BlockStore;
  readonly state: StateStore;
}

async function openStores(group = new DatabaseGroup(async (name) => diskOf(name))): Promise<TestStores> {
  const blocks = await BlockStore.open('blocks', group.open);
  return { blocks, state: await StateStore.open('state', group.open) };
}

const diskOf = (name: string): Database => (name === 'blocks' ? disk.blocks : disk.state);

/** Stores a block with what executing it gave. */
async function save({ blocks, state }: TestStores, height: bigint, numTxs = 0n): Promise<void> {
  const block = blockAt(height);
  const { blockId, parts } = cutBlock(block);
  await blocks.save({
    meta: { blockId, blockSize: 0n, header: block.header, numTxs },
    parts,
    lastCommit: block.lastCommit,
    seenCommit: commitAt(height),
  });
  const at = { type: 'epoch', attributes: [{ key: 'n', value: `${height}`, index: true }] };
  await state.saveResults(height, ResponseFinalizeBlock.create({ events: [at] }));
  await state.save(stateAt(height));
}

async function indexed(): Promise<readonly bigint[]> {
  const page = (total: number): { skip: number; take: number } => ({ skip: 0, take: total });
  return (await index.searchBlocks({ query: parseQuery('block.height > 0'), order: 'asc', page })).items;
}

/** Block sync with pruning: the order of the executor and of the engine. */
async function openSyncing(open?: (name: string) => Promise<Database>) {
  const group = new DatabaseGroup(open ?? (async (name) => diskOf(name)));
  const stores = await openStores(group);
  await stores.state.save(genesis());
  const pruner = new Pruner(stores, index, 0n);
  const clock = { now: () => 0n, schedule: () => () => undefined };
  const ports = { writes: group.writes, clock, listeners: [index, pruner] };
  const checkpoints = new Checkpoints(ports, () => undefined);
  checkpoints.begin();
  const apply = async (height: bigint): Promise<void> => {
    await save(stores, height);
    if (height > KEEP) await pruner.prune(height - KEEP);
    await checkpoints.applied(defined(executedBlock(stores, height), 'block'), 1);
  };
  return { stores, checkpoints, apply };
}

test('after block sync the index has no block that was pruned', async () => {
  const { stores, checkpoints, apply } = await openSyncing();
  const last = BigInt(2 * HELD_BLOCKS_MAX) + 10n;
  for (let height = 1n; height <= last; height++) await apply(height);
  await checkpoints.end();
  const { base, height } = stores.blocks.range();
  expect(base).toBeGreaterThan(BigInt(HELD_BLOCKS_MAX));
  expect(await indexed()).toEqual(
    Array.from({ length: Number(height - base) + 1 }, (_, i) => base + BigInt(i)),
  );
});

test('a crash between two stores of a checkpoint leaves the blocks that the others still need', async () => {
  let crashes = false;
  const open = async (name: string): Promise<Database> => {
    if (name === 'blocks') return diskOf(name);
    const batch = (): ReturnType<Database['batch']> => {
      if (crashes) throw new Error('crash');
      return disk.state.batch();
    };
    return { ...disk.state, batch };
  };
  const { apply, stores } = await openSyncing(open);
  const durable = BigInt(HELD_BLOCKS_MAX);
  for (let height = 1n; height <= durable; height++) await apply(height);
  crashes = true;
  for (let height = durable + 1n; height < 2n * durable; height++) await apply(height);
  await expect(apply(2n * durable)).rejects.toThrow('crash');

  const { blocks, state } = await openStores();
  expect(blocks.range().height).toBe(2n * durable);
  expect(state.load()?.lastBlockHeight).toBe(durable);
  for (let height = durable + 1n; height <= 2n * durable; height++)
    expect(blocks.blockBytes(height), `block ${height}`).toBeDefined();
  expect(blocks.range().base).toBeGreaterThan(1n); // it did prune
  // Had the state been written, and the application not: they signed the last commit of the next block.
  expect(stores.state.validators(durable)).toBeDefined();
  expect(stores.state.validators(1n)).toBeUndefined();
});

test('a long chain is forgotten bit by bit; the validators who signed the lowest last commit stay', async () => {
  const stores = await openStores();
  await stores.state.save(genesis());
  const last = AT_ONCE + 60n;
  for (let height = 1n; height <= last; height++) await save(stores, height);
  const pruner = new Pruner(stores, undefined, last);
  for (const base of [AT_ONCE + 1n, last - KEEP]) {
    await pruner.prune(last - KEEP);
    expect(stores.blocks.range().base).toBe(base);
    expect(stores.state.validators(base - 1n)).toBeDefined();
    expect(stores.state.results(base - 1n)).toBeDefined();
    expect(stores.state.validators(base - 2n)).toBeUndefined();
  }
});

test('of blocks that are full of transactions two are forgotten at a time: the next block waits for it', async () => {
  const stores = await openStores();
  await stores.state.save(genesis());
  const last = 40n;
  for (let height = 1n; height <= last; height++) await save(stores, height, height <= 10n ? 4_000n : 100n);
  const pruner = new Pruner(stores, undefined, last);
  const bases: bigint[] = [];
  for (let i = 0; i < 8; i++) {
    await pruner.prune(last - KEEP);
    bases.push(stores.blocks.range().base);
  }
  expect(bases).toEqual([3n, 5n, 7n, 9n, 11n, 21n, 31n, 32n]);
});

test('headers and validators below the first block of a state sync are forgotten bit by bit, too', async () => {
  const first = 2n * AT_ONCE + 50n;
  const stores = await openStores();
  await save(stores, first);
  await stores.state.bootstrap(stateAt(first));
  for (let height = first - 1n; height > 0n; height--) {
    await stores.state.saveOlderValidators(height, validatorsAt(height));
    await stores.blocks.saveHeader(blockAt(height).header, commitAt(height));
  }
  await save(stores, first + 1n);
  const pruner = new Pruner(stores, index, first + 1n);
  for (const lowest of [AT_ONCE + 1n, 2n * AT_ONCE + 1n, first + 1n]) {
    await pruner.prune(first + 1n);
    expect(stores.blocks.headersFrom()).toBe(lowest);
    expect(stores.state.validators(lowest - 1n)).toBeDefined();
    expect(stores.state.validators(lowest - 2n)).toBeUndefined();
  }
});

function genesis(): ChainState {
  return {
    ...stateAt(1n),
    lastBlockHeight: 0n,
    validators: validatorsAt(1n),
    nextValidators: validatorsAt(2n),
  };
}
