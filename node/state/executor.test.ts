import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Block, cutBlock, decodeBlock } from '../../consensus/types/block.ts';
import { makeBlock } from '../../consensus/types/block-rules.ts';
import { type Commit, type CommitSig, commitSignBytes, EMPTY_COMMIT } from '../../consensus/types/commit.ts';
import { BLOCK_ELEMENTS_MAX } from '../../consensus/types/limits.ts';
import { consensusParamsHash, DEFAULT_CONSENSUS_PARAMS } from '../../consensus/types/params.ts';
import type { VerifySignature } from '../../consensus/types/public-key.ts';
import { concatBytes, EMPTY_BYTES, equalBytes, utf8 } from '../../core/bytes.ts';
import { defined } from '../../core/errors.ts';
import { sha256 } from '../../core/hash.ts';
import {
  ExecTxResult,
  ResponseCommit,
  ResponseFinalizeBlock,
  ResponseInfo,
  ResponseInitChain,
  ResponsePrepareProposal,
  ResponseProcessProposal,
  ResponseProcessProposal_ProposalStatus as ProposalStatus,
} from '../../proto/gen/tendermint/abci/types.ts';
import { corruptRecord } from '../checksum.ts';
import { checkSyncedBlock } from '../engine/synced.ts';
import { type ChainState, contextOf, genesisState } from './chain-state.ts';
import { BlockExecutor } from './executor.ts';
import type { BlockApplication } from './ports.ts';
import { StateStore } from './state-store.ts';

const CHAIN = 'executor-test';
const KEY = Uint8Array.from(sha256(Uint8Array.of(1)));
const ADDRESS = sha256(KEY).slice(0, 20);

const GENESIS = {
  chainId: CHAIN,
  genesisTime: { seconds: 1_700_000_000n, nanos: 0 },
  initialHeight: 1n,
  consensusParams: DEFAULT_CONSENSUS_PARAMS,
  validators: [{ publicKey: { type: 'ed25519', bytes: KEY }, votingPower: 7n }],
  appHash: EMPTY_BYTES,
  appState: EMPTY_BYTES,
} as const;

/** A signature scheme for tests: the hash of key and message, twice. */
const signature = (message: Uint8Array): Uint8Array =>
  concatBytes(sha256(concatBytes(KEY, message)), sha256(KEY));
const verify: VerifySignature = (_, message, bytes) => equalBytes(bytes, signature(message));

const application: BlockApplication = {
  info: async () => ResponseInfo.create(),
  initChain: async () => ResponseInitChain.create(),
  prepareProposal: async () => ResponsePrepareProposal.create(),
  processProposal: async () => ResponseProcessProposal.create({ status: ProposalStatus.ACCEPT }),
  finalizeBlock: async () => ResponseFinalizeBlock.create({ appHash: new Uint8Array(32) }),
  commit: async () => ResponseCommit.create(),
};
const NO_UPDATE = {
  block: undefined,
  evidence: undefined,
  validator: undefined,
  version: undefined,
  abci: undefined,
};
const mempool = {
  reap: (): readonly Uint8Array[] => [],
  update: async (): Promise<void> => undefined,
  lock: async () => (): void => undefined,
};

function blockOn(state: ChainState, lastCommit: Commit): Block {
  return makeBlock(contextOf(state), { txs: [], evidence: [], lastCommit, proposerAddress: ADDRESS });
}

function commitFor(state: ChainState): Commit {
  const entry: CommitSig = {
    blockIdFlag: 'commit',
    validatorAddress: ADDRESS,
    timestamp: { ...state.lastBlockTime, nanos: state.lastBlockTime.nanos + 1 },
    signature: new Uint8Array(64),
  };
  const unsigned = {
    height: state.lastBlockHeight,
    round: 0,
    blockId: state.lastBlockId,
    signatures: [entry],
  };
  const message = defined(commitSignBytes(CHAIN, unsigned, 0), 'sign bytes');
  return { ...unsigned, signatures: [{ ...entry, signature: signature(message) }] };
}

const evidence = {
  pending: () => ({ evidence: [], bytes: 0n }),
  check: () => 'good' as const,
  update: async () => undefined,
};

test('a block is not good because another one with its header was', async () => {
  const store = await StateStore.open(mkdtempSync(join(tmpdir(), 'executor-')));
  const genesis = genesisState(GENESIS);
  const executor = new BlockExecutor(
    { application, mempool, evidence, store, verify, prune: async () => undefined },
    genesis,
  );
  const first = blockOn(genesis, EMPTY_COMMIT);
  await executor.apply({ block: first, blockId: cutBlock(first).blockId, stored: Promise.resolve() });
  const commit = commitFor(executor.state);
  const good = blockOn(executor.state, commit);
  // The hash of a commit covers its entries only: the header stays the same, the signatures become wrong.
  const forged: Block = { ...good, lastCommit: { ...commit, round: 5 } };
  expect(cutBlock(forged).blockId.hash).toEqual(cutBlock(good).blockId.hash);
  expect((await executor.judge(good)).validity).toBe('accepted');
  expect(await executor.judge(forged)).toEqual({ validity: 'invalid', reason: 'wrong signature in commit' });
  await store.close();
});

test('a block is not bad because this node cannot read what it is judged by', async () => {
  const store = await StateStore.open(mkdtempSync(join(tmpdir(), 'executor-')));
  const genesis = genesisState(GENESIS);
  const damage = corruptRecord(new Uint8Array(1), { directory: 'd', repair: 'r' }, 'damaged');
  const check = (): never => {
    throw damage;
  };
  const executor = new BlockExecutor(
    { application, mempool, evidence: { ...evidence, check }, store, verify, prune: async () => undefined },
    genesis,
  );
  const block = blockOn(genesis, EMPTY_COMMIT);
  await expect(executor.judge(block)).rejects.toBe(damage);
  const { blockId } = cutBlock(block);
  const decided = { block, blockId, parts: [], blockSize: 0, seenCommit: EMPTY_COMMIT };
  expect(() => checkSyncedBlock(decided, executor)).toThrow(damage);
  await store.close();
});

test('consensus parameters that a block changes are in force from the next height on', async () => {
  const store = await StateStore.open(mkdtempSync(join(tmpdir(), 'executor-')));
  const block = { maxBytes: 2_000_000n, maxGas: 77n };
  const finalizeBlock = async ({ height }: { readonly height: bigint }): Promise<ResponseFinalizeBlock> =>
    ResponseFinalizeBlock.create({
      appHash: new Uint8Array(32),
      ...(height === 1n ? { consensusParamUpdates: { ...NO_UPDATE, block } } : {}),
    });
  const asked: bigint[] = [];
  const prepareProposal: BlockApplication['prepareProposal'] = async ({ maxTxBytes }) => {
    asked.push(maxTxBytes);
    return ResponsePrepareProposal.create();
  };
  const reaped: bigint[] = [];
  const reap = (_bytes: number, maxGas: bigint): readonly Uint8Array[] => {
    reaped.push(maxGas);
    return [];
  };
  const ports = { evidence, store, verify, prune: async () => undefined };
  const executor = new BlockExecutor(
    {
      ...ports,
      application: { ...application, finalizeBlock, prepareProposal },
      mempool: { ...mempool, reap },
    },
    genesisState(GENESIS),
  );
  await executor.propose(undefined, ADDRESS);
  const first = blockOn(executor.state, EMPTY_COMMIT);
  await executor.apply(decided(first));
  const changed = { ...DEFAULT_CONSENSUS_PARAMS, block };
  expect(first.header.consensusHash).toEqual(consensusParamsHash(DEFAULT_CONSENSUS_PARAMS));
  expect(executor.state).toMatchObject({
    consensusParams: changed,
    lastHeightConsensusParamsChanged: 2n,
  });
  const commit = commitFor(executor.state);
  const second = (await executor.propose(commit, ADDRESS)).parts;
  const block2 = decodeBlock(concatBytes(...second.map(({ bytes }) => bytes)));
  expect(block2.header.consensusHash).toEqual(consensusParamsHash(changed));
  expect((await executor.judge(block2)).validity).toBe('accepted');
  const old = { ...block2, header: { ...block2.header, consensusHash: first.header.consensusHash } };
  expect(await executor.judge(old)).toMatchObject({ reason: 'block has a wrong consensus hash' });
  expect(reaped.at(-1)).toBe(77n);
  expect(asked[1]).toBeLessThan(2_000_000n);
  expect(asked[0]).toBeGreaterThan(2_000_000n);
  await executor.apply(decided(block2));
  expect(executor.state).toMatchObject({ consensusParams: changed, lastHeightConsensusParamsChanged: 2n });
  expect(store.consensusParams(2n)).toEqual(changed);
  expect(store.consensusParams(3n)).toEqual(changed);
  await store.close();
});

interface Calls {
  readonly executed: string[];
  fails: number;
}

async function openExecutor(calls: Calls): Promise<{ executor: BlockExecutor; genesis: ChainState }> {
  const store = await StateStore.open(mkdtempSync(join(tmpdir(), 'executor-')));
  const genesis = genesisState(GENESIS);
  let underWay = 0;
  const executing: BlockApplication = {
    ...application,
    finalizeBlock: async ({ txs }, control) => {
      calls.executed.push(Buffer.concat(txs).toString());
      expect(++underWay, 'one at a time').toBe(1);
      await new Promise((resolve) => setImmediate(resolve));
      underWay--;
      if (control?.cancelled === true) throw new Error('cancelled');
      if (calls.fails-- > 0) throw new Error('no');
      return ResponseFinalizeBlock.create({
        appHash: new Uint8Array(32),
        txResults: txs.map(() => ExecTxResult.create()),
      });
    },
  };
  const ports = { application: executing, mempool, evidence, store, verify, prune: async () => undefined };
  return { executor: new BlockExecutor(ports, genesis), genesis };
}

function blockWith(state: ChainState, text: string): Block {
  const content = { txs: [utf8(text)], evidence: [], lastCommit: EMPTY_COMMIT, proposerAddress: ADDRESS };
  return makeBlock(contextOf(state), content);
}

const decided = (block: Block): Parameters<BlockExecutor['apply']>[0] => ({
  block,
  blockId: cutBlock(block).blockId,
  stored: Promise.resolve(),
});

test('an accepted proposal is executed before it is decided, and not again', async () => {
  const calls = { executed: [], fails: 0 };
  const { executor, genesis } = await openExecutor(calls);
  const block = blockWith(genesis, 'a');
  await executor.judge(block);
  expect(calls.executed).toEqual(['a']);
  await executor.apply(decided(block));
  expect([calls.executed, executor.state.lastBlockHeight]).toEqual([['a'], 1n]);
});

test('when another block is decided, that one is executed', async () => {
  const calls = { executed: [], fails: 0 };
  const { executor, genesis } = await openExecutor(calls);
  const [a, b] = [blockWith(genesis, 'a'), blockWith(genesis, 'b')];
  await executor.judge(a);
  await executor.judge(b); // while `a` is executed: found by the simulator with a slow application
  await executor.apply(decided(a));
  expect(calls.executed.at(-1)).toBe('a');
  expect(executor.state.lastBlockId).toEqual(cutBlock(a).blockId);
});

test('an execution that failed before the decision is tried again', async () => {
  const calls = { executed: [], fails: 1 };
  const { executor, genesis } = await openExecutor(calls);
  const block = blockWith(genesis, 'a');
  await executor.judge(block);
  await executor.apply(decided(block));
  expect(calls.executed).toEqual(['a', 'a']);
});

test('nothing is executed ahead once the height is decided', async () => {
  const calls = { executed: [], fails: 0 };
  const { executor, genesis } = await openExecutor(calls);
  const [ours, theirs] = [blockWith(genesis, 'ours'), blockWith(genesis, 'theirs')];
  const applied = executor.apply(decided(theirs));
  executor.speculate(ours); // our proposal is ready when a decision is under way
  await applied;
  await executor.judge(blockOn(executor.state, commitFor(executor.state)));
  expect(calls.executed).toEqual(['theirs', '']);
});

test('a proposal has no more transactions than others decode', async () => {
  const store = await StateStore.open(mkdtempSync(join(tmpdir(), 'executor-')));
  const waiting = new Array<Uint8Array>(BLOCK_ELEMENTS_MAX + 5).fill(Uint8Array.of(1));
  let offered = 0;
  let answered: readonly Uint8Array[] = [];
  const prepareProposal: BlockApplication['prepareProposal'] = async ({ txs }) => {
    offered = txs.length;
    return ResponsePrepareProposal.create({ txs: answered });
  };
  const executor = new BlockExecutor(
    {
      application: { ...application, prepareProposal },
      mempool: { ...mempool, reap: () => waiting },
      evidence,
      store,
      verify,
      prune: async () => undefined,
    },
    genesisState(GENESIS),
  );
  await executor.propose(undefined, ADDRESS);
  expect(offered).toBe(BLOCK_ELEMENTS_MAX);
  answered = waiting;
  await expect(executor.propose(undefined, ADDRESS)).rejects.toThrow('more bytes or transactions');
  await store.close();
});

test('a block with evidence that nobody here can judge gets no vote of ours, and is taken when it is decided', async () => {
  const store = await StateStore.open(mkdtempSync(join(tmpdir(), 'executor-')));
  const unknown = { ...evidence, check: () => 'unknown' as const };
  const ports = { application, mempool, evidence: unknown, store, verify, prune: async () => undefined };
  const executor = new BlockExecutor(ports, genesisState(GENESIS));
  const block = blockOn(executor.state, EMPTY_COMMIT);
  // Not invalid: the network may decide it all the same, and this node must not stand apart then.
  for (let i = 0; i < 2; i++) expect(await executor.judge(block)).toMatchObject({ validity: 'rejected' });
  expect(() => executor.check(block)).not.toThrow();
  await executor.apply({ block, blockId: cutBlock(block).blockId, stored: Promise.resolve() });
  expect(executor.state.lastBlockHeight).toBe(1n);
  await store.close();
});
