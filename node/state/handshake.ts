/**
 * Brings application, state and block store to one height on start. A crash in consensus leaves at most one
 * block between two of them, in the order in which a block is written: block store, results, application,
 * state. In block sync several blocks are written together: block store, results and state, application.
 *
 * | application | state | blocks | what is done |
 * | --- | --- | --- | --- |
 * | 0 | 0 | 0 | InitChain |
 * | below the state | s | s | the missing blocks are executed again on the application alone |
 * | s | s | above s | the blocks above are executed |
 * | s + 1 | s | above s | the application has one of them: the state follows from its stored results |
 *
 * Everything else is a mixture of homes, or lost data: refused, with what to do.
 */
import { type Block, decodeBlock } from '../../consensus/types/block.ts';
import type { ValidatorSet } from '../../consensus/types/validator.ts';
import { EMPTY_VALIDATOR_SET } from '../../consensus/types/validator-set.ts';
import { equalBytes, toUpperHex } from '../../core/bytes.ts';
import { defined, LedgerError } from '../../core/errors.ts';
import type { RequestInfo } from '../../proto/gen/tendermint/abci/types.ts';
import {
  afterBlock,
  afterInitChain,
  type ChainState,
  type Genesis,
  genesisState,
  nextHeightOf,
} from './chain-state.ts';
import { checkResults } from './executor.ts';
import type { BlockApplication, StoredBlockReader } from './ports.ts';
import { finalizeRequest, initChainRequest } from './requests.ts';
import type { StateStore } from './state-store.ts';

/** What is brought together. */
export interface HandshakePorts {
  readonly application: BlockApplication;
  readonly store: StateStore;
  readonly blocks: StoredBlockReader;
  readonly log: (facts: Readonly<Record<string, unknown>>, message: string) => void;
}

/** What mends a data directory whose parts do not belong together. */
const SYNC_AGAIN =
  'stop the node and delete all in the data directory but priv_validator_state.json, which keeps a validator from ' +
  'signing twice; the node then syncs again';

const INFO: RequestInfo = { version: '0.38.0', blockVersion: 11n, p2pVersion: 8n, abciVersion: '2.0.0' };

/**
 * Returns the state that application, state store and block store agree on.
 * @throws LedgerError `handshake.*`
 */
export async function handshake(ports: HandshakePorts, genesis: Genesis): Promise<ChainState> {
  const { application, store, blocks } = ports;
  const info = await application.info(INFO);
  let appHeight = info.lastBlockHeight;
  const stored = store.load();
  let state = stored ?? genesisState(genesis);
  checkHome(state, genesis);
  if (stored === undefined && appHeight > 0n) throw lostState(appHeight);
  if (appHeight === 0n) state = await initChain(ports, genesis, state);
  const { height: blockHeight } = blocks.range();
  checkHeights({ appHeight, state, blocks: blocks.range() });
  if (appHeight < state.lastBlockHeight) {
    await replayOnApplication(ports, appHeight, state);
    appHeight = state.lastBlockHeight;
  }
  if (appHeight === state.lastBlockHeight && appHeight !== 0n) await checkAppHash(ports, state);
  for (let height = nextHeightOf(state); height <= blockHeight; height++)
    state = await finishBlock(ports, state, appHeight >= height);
  return state;
}

async function initChain(ports: HandshakePorts, genesis: Genesis, state: ChainState): Promise<ChainState> {
  const response = await ports.application.initChain(initChainRequest(genesis));
  if (state.lastBlockHeight > 0n) return state;
  const initial = afterInitChain(state, response);
  await ports.store.save(initial);
  return initial;
}

function checkHome(state: ChainState, genesis: Genesis): void {
  if (state.chainId === genesis.chainId && state.initialHeight === genesis.initialHeight) return;
  throw new LedgerError(
    'handshake.other_chain',
    `the data directory belongs to chain "${state.chainId}" from height ${state.initialHeight}, the genesis file to ` +
      `"${genesis.chainId}" from height ${genesis.initialHeight}; use another home or the genesis of this one, or, to join ` +
      `the other chain with this home, ${SYNC_AGAIN}`,
    { home: state.chainId, genesis: genesis.chainId },
  );
}

/** InitChain writes the first state before the application has a block. */
function lostState(appHeight: bigint): LedgerError {
  return new LedgerError(
    'handshake.state_missing',
    `state.db holds no state, but the application is at height ${appHeight}: state.db was lost. Restore one copy of the ` +
      `data directory as a whole, or ${SYNC_AGAIN}`,
    { application: appHeight },
  );
}

function checkHeights(heights: {
  readonly appHeight: bigint;
  readonly state: ChainState;
  readonly blocks: { readonly base: bigint; readonly height: bigint };
}): void {
  const { appHeight, state, blocks } = heights;
  const stateHeight = state.lastBlockHeight;
  const facts = { application: appHeight, state: stateHeight, blocks: blocks.height };
  const first = stateHeight === 0n ? state.initialHeight : stateHeight + 1n;
  const refuse = (what: string): LedgerError =>
    new LedgerError(
      'handshake.heights',
      `${what} (application at height ${appHeight}, state at ${stateHeight}, blocks up to ${blocks.height}). The data directory ` +
        `is a mixture of several copies or lost a part; restore one copy as a whole, or ${SYNC_AGAIN}`,
      facts,
    );
  if (blocks.height < stateHeight) throw refuse('the block store lacks blocks that were executed');
  if (appHeight > blocks.height) throw refuse('the application is ahead of the block store');
  if (appHeight > first) throw refuse('the application is more than one block ahead of the state');
  const needed = appHeight === 0n ? state.initialHeight : appHeight + 1n;
  if (appHeight < stateHeight && needed < blocks.base) {
    throw refuse(`the application needs block ${needed}, and blocks before ${blocks.base} were pruned`);
  }
}

/** Executes blocks that the state already contains on an application that lost them. */
async function replayOnApplication(
  ports: HandshakePorts,
  appHeight: bigint,
  state: ChainState,
): Promise<void> {
  const from = appHeight === 0n ? state.initialHeight : appHeight + 1n;
  ports.log({ from, to: state.lastBlockHeight }, 'the application is behind: executing stored blocks again');
  for (let height = from; height <= state.lastBlockHeight; height++) {
    const block = storedBlock(ports.blocks, height);
    const results = await execute(ports, block, lastValidatorsAt(ports.store, height, state));
    const expected =
      height === state.lastBlockHeight
        ? state.appHash
        : storedBlock(ports.blocks, height + 1n).header.appHash;
    requireAppHash(height, results, expected);
  }
}

/** The block store has a block that the state lacks: execute it, or take over what the application did with it. */
async function finishBlock(
  ports: HandshakePorts,
  state: ChainState,
  applicationHasIt: boolean,
): Promise<ChainState> {
  const height = nextHeightOf(state);
  const block = storedBlock(ports.blocks, height);
  requireAppHash(state.lastBlockHeight, state.appHash, block.header.appHash);
  const blockId = defined(ports.blocks.blockId(height), 'block id');
  ports.log(
    { height, applicationHasIt },
    'finishing the block that was being committed when the node stopped',
  );
  const stored = applicationHasIt ? ports.store.results(height) : undefined;
  if (applicationHasIt && stored === undefined) {
    throw new LedgerError(
      'handshake.results',
      `the application committed block ${height}, but its results are not in state.db; restore one copy of the data ` +
        `directory as a whole, or ${SYNC_AGAIN}`,
      { height },
    );
  }
  const results = stored ?? (await executeNew(ports, block, state));
  const next = afterBlock(state, { header: block.header, blockId }, results);
  if (applicationHasIt) await checkAppHash(ports, next);
  await ports.store.save(next);
  return next;
}

async function executeNew(
  ports: HandshakePorts,
  block: Block,
  state: ChainState,
): Promise<Awaited<ReturnType<BlockApplication['finalizeBlock']>>> {
  const results = await ports.application.finalizeBlock(finalizeRequest(block, state.lastValidators));
  checkResults(block, results);
  await ports.store.saveResults(block.header.height, results);
  await ports.application.commit();
  return results;
}

async function execute(
  ports: HandshakePorts,
  block: Block,
  lastValidators: ValidatorSet,
): Promise<Uint8Array> {
  const results = await ports.application.finalizeBlock(finalizeRequest(block, lastValidators));
  checkResults(block, results);
  await ports.application.commit();
  return results.appHash;
}

async function checkAppHash(ports: HandshakePorts, state: ChainState): Promise<void> {
  const { lastBlockAppHash } = await ports.application.info(INFO);
  requireAppHash(state.lastBlockHeight, lastBlockAppHash, state.appHash);
}

function requireAppHash(height: bigint, got: Uint8Array, expected: Uint8Array): void {
  if (equalBytes(got, expected)) return;
  throw new LedgerError(
    'handshake.app_hash',
    `the application's hash after block ${height} is ${toUpperHex(got)}, the chain's is ${toUpperHex(expected)}. The binary ` +
      'is of another version than the chain, or the application state is damaged; use the right version, or ' +
      SYNC_AGAIN,
    { height },
  );
}

function lastValidatorsAt(store: StateStore, height: bigint, state: ChainState): ValidatorSet {
  if (height === state.initialHeight) return EMPTY_VALIDATOR_SET;
  return defined(store.validators(height - 1n), `validators of height ${height - 1n}`);
}

/** @throws LedgerError when the store lacks a block that it should have */
export function storedBlock(blocks: StoredBlockReader, height: bigint): Block {
  const bytes = blocks.blockBytes(height);
  if (bytes === undefined) {
    throw new LedgerError('handshake.block_missing', `the block store lacks block ${height}`, { height });
  }
  return decodeBlock(bytes);
}
