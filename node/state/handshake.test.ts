/** Every way in which application, state and blocks can be apart on start. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { type Block, cutBlock, encodeBlock } from '../../consensus/types/block.ts';
import type { BlockId } from '../../consensus/types/block-id.ts';
import { makeBlock } from '../../consensus/types/block-rules.ts';
import { type Commit, EMPTY_COMMIT } from '../../consensus/types/commit.ts';
import { DEFAULT_CONSENSUS_PARAMS } from '../../consensus/types/params.ts';
import { concatBytes, EMPTY_BYTES, toHex, uint64BigEndian, utf8 } from '../../core/bytes.ts';
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
} from '../../proto/gen/tendermint/abci/types.ts';
import { afterBlock, type ChainState, contextOf, encodeState, type Genesis } from './chain-state.ts';
import { handshake } from './handshake.ts';
import type { BlockApplication, StoredBlockReader } from './ports.ts';
import { StateStore } from './state-store.ts';

const KEY = Uint8Array.from(sha256(utf8('key')));
const GENESIS: Genesis = {
  chainId: 'handshake-test',
  genesisTime: { seconds: 1_700_000_000n, nanos: 0 },
  initialHeight: 5n,
  consensusParams: DEFAULT_CONSENSUS_PARAMS,
  validators: [{ publicKey: { type: 'ed25519', bytes: KEY }, votingPower: 7n }],
  appHash: EMPTY_BYTES,
  appState: EMPTY_BYTES,
};
const stores: StateStore[] = [];
afterAll(async () => {
  for (const store of stores) await store.close();
});

/** Counts what it is asked for; its state is a hash chain. */
class FakeApplication implements BlockApplication {
  height: bigint;
  hash: Uint8Array;
  readonly calls: string[] = [];
  #working: { height: bigint; hash: Uint8Array } | undefined;

  constructor(height = 0n, hash: Uint8Array = EMPTY_BYTES) {
    this.height = height;
    this.hash = hash;
  }
  async info(): Promise<ResponseInfo> {
    return ResponseInfo.create({ lastBlockHeight: this.height, lastBlockAppHash: this.hash });
  }
  async initChain(): Promise<ResponseInitChain> {
    this.calls.push('init');
    return ResponseInitChain.create();
  }
  async prepareProposal(): Promise<ResponsePrepareProposal> {
    return ResponsePrepareProposal.create();
  }
  async processProposal(): Promise<ResponseProcessProposal> {
    return ResponseProcessProposal.create();
  }
  async finalizeBlock(request: {
    readonly height: bigint;
    readonly txs: readonly Uint8Array[];
  }): Promise<ResponseFinalizeBlock> {
    this.calls.push(`finalize ${request.height}`);
    this.#working = { height: request.height, hash: nextHash(this.hash, request.height) };
    return resultsOf(request.txs.length, this.#working.hash);
  }
  async commit(): Promise<ResponseCommit> {
    Object.assign(this, this.#working);
    return ResponseCommit.create();
  }
}

function nextHash(before: Uint8Array, height: bigint): Uint8Array {
  return Uint8Array.from(sha256(concatBytes(before, uint64BigEndian(height))));
}

function resultsOf(txs: number, appHash: Uint8Array): ResponseFinalizeBlock {
  const txResults = Array.from({ length: txs }, () => ExecTxResult.create({ gasUsed: 3n }));
  return ResponseFinalizeBlock.create({ txResults, appHash });
}

const textOf = (state: ChainState): string => toHex(encodeState(state));

interface Chain {
  /** The state before the first block, then after each. */
  readonly states: readonly ChainState[];
  readonly blocks: readonly { readonly block: Block; readonly blockId: BlockId }[];
}

/** Three blocks, heights 5 to 7, and the states around them. */
async function makeChain(): Promise<Chain> {
  const store = await newStore();
  const application = new FakeApplication();
  const empty = readerOf([], []);
  let state = await handshake({ application, store, blocks: empty, log: () => {} }, GENESIS);
  const states = [state];
  const blocks: { block: Block; blockId: BlockId }[] = [];
  for (let index = 0; index < 3; index++) {
    const content = { txs: [utf8(`tx ${index}`)], evidence: [], proposerAddress: sha256(KEY).slice(0, 20) };
    const block = makeBlock(contextOf(state), { ...content, lastCommit: commitFor(state) });
    const { blockId } = cutBlock(block);
    const appHash = nextHash(state.appHash, block.header.height);
    state = afterBlock(state, { header: block.header, blockId }, resultsOf(1, appHash));
    states.push(state);
    blocks.push({ block, blockId });
  }
  return { states, blocks };
}

function commitFor(state: ChainState): Commit {
  if (state.lastBlockHeight === 0n) return EMPTY_COMMIT;
  const timestamp = { ...state.lastBlockTime, nanos: state.lastBlockTime.nanos + 1 };
  const signature = new Uint8Array(64).fill(1);
  const entry = {
    blockIdFlag: 'commit',
    validatorAddress: sha256(KEY).slice(0, 20),
    timestamp,
    signature,
  } as const;
  return { height: state.lastBlockHeight, round: 0, blockId: state.lastBlockId, signatures: [entry] };
}

async function newStore(): Promise<StateStore> {
  const store = await StateStore.open(mkdtempSync(join(tmpdir(), 'handshake-')));
  stores.push(store);
  return store;
}

function readerOf(blocks: Chain['blocks'], missing: readonly bigint[]): StoredBlockReader {
  const at = (height: bigint): Chain['blocks'][number] | undefined =>
    missing.includes(height) ? undefined : blocks[Number(height - 5n)];
  return {
    range: () => ({
      base: blocks.length === 0 ? 0n : 5n,
      height: blocks.length === 0 ? 0n : 4n + BigInt(blocks.length),
    }),
    blockId: (height) => at(height)?.blockId,
    blockBytes: (height) => {
      const found = at(height);
      return found === undefined ? undefined : encodeBlock(found.block);
    },
    seenCommit: () => undefined,
  };
}

/** A home whose parts stand at these numbers of blocks. */
async function homeAt(counts: {
  application: number;
  state: number;
  blocks: number;
  results: number;
}): Promise<{
  chain: Chain;
  application: FakeApplication;
  store: StateStore;
  run: () => Promise<ChainState>;
}> {
  const chain = await makeChain();
  const store = await newStore();
  for (let index = 0; index < counts.results; index++) {
    const { appHash } = defined(chain.states[index + 1], 'state');
    await store.saveResults(5n + BigInt(index), resultsOf(1, appHash));
  }
  for (const state of chain.states.slice(0, counts.state + 1)) await store.save(state);
  const appState = defined(chain.states[counts.application], 'state');
  const application = new FakeApplication(appState.lastBlockHeight, appState.appHash);
  const blocks = readerOf(chain.blocks.slice(0, counts.blocks), []);
  return {
    chain,
    application,
    store,
    run: () => handshake({ application, store, blocks, log: () => {} }, GENESIS),
  };
}

const cases: readonly (readonly [string, Parameters<typeof homeAt>[0], number, readonly string[]])[] = [
  ['a new chain', { application: 0, state: 0, blocks: 0, results: 0 }, 0, ['init']],
  ['all at one height', { application: 2, state: 2, blocks: 2, results: 2 }, 2, []],
  ['stored, not executed', { application: 1, state: 1, blocks: 2, results: 1 }, 2, ['finalize 6']],
  [
    'executed, results stored, not committed',
    { application: 1, state: 1, blocks: 2, results: 2 },
    2,
    ['finalize 6'],
  ],
  ['committed by the application only', { application: 2, state: 1, blocks: 2, results: 2 }, 2, []],
  [
    'first block stored, not executed',
    { application: 0, state: 0, blocks: 1, results: 0 },
    1,
    ['init', 'finalize 5'],
  ],
  [
    'an application that lost everything',
    { application: 0, state: 2, blocks: 2, results: 2 },
    2,
    ['init', 'finalize 5', 'finalize 6'],
  ],
  [
    'two blocks stored, not executed',
    { application: 1, state: 1, blocks: 3, results: 1 },
    3,
    ['finalize 6', 'finalize 7'],
  ],
  [
    'two blocks stored, one committed by the application only',
    { application: 2, state: 1, blocks: 3, results: 2 },
    3,
    ['finalize 7'],
  ],
  [
    'blocks stored, of which the state lacks one and the application two',
    { application: 1, state: 2, blocks: 3, results: 2 },
    3,
    ['finalize 6', 'finalize 7'],
  ],
  [
    'an application that lost one, and a block to execute',
    { application: 1, state: 2, blocks: 3, results: 2 },
    3,
    ['finalize 6', 'finalize 7'],
  ],
];

for (const [name, counts, end, calls] of cases) {
  test(`${name}: application and state come to ${end} blocks`, async () => {
    const { chain, application, store, run } = await homeAt(counts);
    const state = await run();
    expect(application.calls).toEqual(calls);
    const expected = textOf(defined(chain.states[end], 'state'));
    expect(textOf(state)).toBe(expected);
    expect(textOf(defined(store.load(), 'stored state'))).toBe(expected);
    expect(application.height).toBe(end === 0 ? 0n : 4n + BigInt(end));
    expect(Buffer.from(application.hash)).toEqual(Buffer.from(state.appHash));
  });
}

const refusals: readonly (readonly [string, Parameters<typeof homeAt>[0], string])[] = [
  [
    'blocks are missing',
    { application: 2, state: 2, blocks: 1, results: 2 },
    'lacks blocks that were executed',
  ],
  [
    'the application is two blocks ahead of the state',
    { application: 3, state: 1, blocks: 3, results: 3 },
    'more than one block ahead',
  ],
  ['the application is ahead', { application: 3, state: 2, blocks: 2, results: 2 }, 'application is ahead'],
  [
    'results are missing',
    { application: 2, state: 1, blocks: 2, results: 1 },
    'its results are not in state.db',
  ],
];

for (const [name, counts, sentence] of refusals) {
  test(`${name}: refused with what to do`, async () => {
    const { run } = await homeAt(counts);
    await expect(run()).rejects.toThrow(sentence);
    await expect(run()).rejects.toThrow(
      /restore .*delete all in the data directory but priv_validator_state\.json/,
    );
  });
}

test('another app hash, another chain, another initial height: refused', async () => {
  const { application, run, store } = await homeAt({ application: 2, state: 2, blocks: 2, results: 2 });
  application.hash = new Uint8Array(32);
  await expect(run()).rejects.toThrow("the application's hash after block 6");
  const ports = { application, store, blocks: readerOf([], []), log: (): void => {} };
  await expect(handshake(ports, { ...GENESIS, chainId: 'other' })).rejects.toThrow(
    /belongs to chain "handshake-test" .*"other" .*another home .*but priv_validator_state\.json/,
  );
  await expect(handshake(ports, { ...GENESIS, initialHeight: 9n })).rejects.toThrow(
    /from height 5, the genesis file to "handshake-test" from height 9/,
  );
});

test('replayed blocks that give another hash stop the node', async () => {
  const { application, run } = await homeAt({ application: 1, state: 2, blocks: 2, results: 2 });
  application.hash = new Uint8Array(32).fill(9);
  await expect(run()).rejects.toThrow('of another version than the chain');
});

test.each([1, 2])('a state store lost after block %i is named, with what to do', async (count) => {
  const { application, chain } = await homeAt({
    application: count,
    state: count,
    blocks: count,
    results: count,
  });
  const store = await newStore();
  const blocks = readerOf(chain.blocks.slice(0, count), []);
  await expect(handshake({ application, store, blocks, log: () => {} }, GENESIS)).rejects.toThrow(
    /state\.db holds no state, but the application is at height \d.*but priv_validator_state\.json/,
  );
  expect(store.load()).toBeUndefined();
});
