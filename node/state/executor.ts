/**
 * Makes, judges and executes blocks on top of the state that it holds. Each method waits for the one before.
 * An accepted proposal is executed at once, while others still vote on it (`speculate`): when it is decided,
 * its results are there or under way. When another block is decided, this execution ends, and that one's
 * begins.
 */
import {
  type Block,
  blockTxsMax,
  type CutBlock,
  cutBlock,
  dataBytesMax,
} from '../../consensus/types/block.ts';
import type { BlockId } from '../../consensus/types/block-id.ts';
import { makeBlock, verifyBlock } from '../../consensus/types/block-rules.ts';
import { type Commit, EMPTY_COMMIT } from '../../consensus/types/commit.ts';
import type { VerifySignature } from '../../consensus/types/public-key.ts';
import { LedgerError, messageOf } from '../../core/errors.ts';
import { uvarintLength } from '../../core/varint.ts';
import {
  type ResponseFinalizeBlock,
  ResponseProcessProposal_ProposalStatus as ProposalStatus,
} from '../../proto/gen/tendermint/abci/types.ts';
import type { ExecutionControl } from '../application.ts';
import { isDamage } from '../checksum.ts';
import type { CommittedBlock } from '../committed-block.ts';
import { afterBlock, type ChainState, contextOf, nextHeightOf } from './chain-state.ts';
import { committedBlock } from './committed.ts';
import type { BlockApplication, BlockEvidence, BlockMempool, BlockRules } from './ports.ts';
import { ProposalSize } from './proposal-size.ts';
import { finalizeRequest, prepareRequest, processRequest } from './requests.ts';
import type { StateStore } from './state-store.ts';

/** What judging a block came to, and why it was not accepted. */
export interface Judgement {
  readonly validity: 'accepted' | 'rejected' | 'invalid';
  readonly reason: string | undefined;
}

/** The collaborators of block execution. */
export interface ExecutorPorts {
  readonly application: BlockApplication;
  readonly mempool: BlockMempool;
  readonly evidence: BlockEvidence;
  readonly store: StateStore;
  readonly verify: VerifySignature;
  /** Called after each block with the lowest height that the application still needs. */
  readonly prune: (retainHeight: bigint) => Promise<void>;
  /** A clock that never goes back. Default: the machine's. */
  readonly nowMs?: () => number;
  /** Default: those of `consensus/types/block-rules.ts`. */
  readonly rules?: BlockRules;
}

/** Settings of block execution. */
export interface ExecutorOptions {
  /** How long executing a block of ours may take, by what was measured: proposals are cut to that. */
  readonly executionTargetMs: number;
}

const RULES: BlockRules = { makeBlock, verifyBlock };
const DEFAULT_EXECUTOR_OPTIONS: ExecutorOptions = { executionTargetMs: 1000 };

/** A decided block to execute. */
export interface DecidedInput {
  readonly block: Block;
  readonly blockId: BlockId;
  /** Resolves when the block is on disk. */
  readonly stored: Promise<void>;
}

/** A block in execution. By object: see `#verified`. */
interface Execution extends ExecutionControl {
  readonly block: Block;
  cancelled: boolean;
  readonly results: Promise<ResponseFinalizeBlock>;
}

const ignore = (): void => {};
const UNKNOWN_EVIDENCE = 'it holds evidence of a height that this node has no header of';

/** Holds the chain state; the one place that changes it. */
export class BlockExecutor {
  readonly #ports: ExecutorPorts;
  readonly #size: ProposalSize;
  #state: ChainState;
  /**
   * Blocks that were found to follow from the state: their signatures are not checked again. By object, not
   * by hash: a header's hash does not cover height, round and block id of the last commit. With it, what
   * could be said of their evidence.
   */
  #verified = new WeakMap<Block, ReturnType<BlockEvidence['check']>>();
  /** The block of the next height that is executed, or was last: decided or not. */
  #execution: Execution | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  /**
   * The mempool checks again what the last block left over; the next commit waits for it, the next proposal
   * does not.
   */
  #mempoolUpdate: Promise<void> = Promise.resolve();

  constructor(ports: ExecutorPorts, state: ChainState, options: ExecutorOptions = DEFAULT_EXECUTOR_OPTIONS) {
    this.#ports = ports;
    this.#size = new ProposalSize(options.executionTargetMs);
    this.#state = state;
  }

  /** The state after the last executed block. */
  get state(): ChainState {
    return this.#state;
  }

  /** A block of ours for the next height. The application has the last word on its transactions. */
  propose(lastCommit: Commit | undefined, proposerAddress: Uint8Array): Promise<CutBlock> {
    return this.#inTurn(() => this.#propose(lastCommit ?? EMPTY_COMMIT, proposerAddress));
  }

  /** @throws LedgerError when a well-formed block does not follow from the state */
  check(block: Block): void {
    this.#verify(block);
  }

  /**
   * Whether a well-formed block follows from the state, and whether the application takes it.
   * @throws LedgerError `database.corrupt` when this node cannot tell: it must stop
   */
  judge(block: Block): Promise<Judgement> {
    return this.#inTurn(() => this.#judge(block));
  }

  /**
   * Begins to execute a block that may be decided. Nothing comes of it but time saved; what fails will fail
   * again when the block is decided.
   */
  speculate(block: Block): void {
    void this.#inTurn(async () => {
      if (block.header.height === nextHeightOf(this.#state)) this.#speculate(block);
    });
  }

  /**
   * Executes a decided block. In memory at once; then, when the block is stored: results stored, application
   * committed, state stored, in this order, each durably.
   * @throws LedgerError when the block does not follow or the application fails: the node must stop
   */
  apply(decided: DecidedInput): Promise<CommittedBlock> {
    return this.#inTurn(() => this.#apply(decided));
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(task);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  async #propose(lastCommit: Commit, proposerAddress: Uint8Array): Promise<CutBlock> {
    const state = this.#state;
    const context = contextOf(state);
    const { maxBytes, maxGas } = state.consensusParams.block;
    const { evidence, bytes: evidenceBytes } = this.#ports.evidence.pending(
      state.consensusParams.evidence.maxBytes,
    );
    const maxTxBytes = dataBytesMax({
      blockBytesMax: maxBytes,
      evidenceBytes,
      validators: state.validators.validators.length,
    });
    const maxTxs = blockTxsMax({ evidence, lastCommit });
    const reaped = this.#reap(Number(maxTxBytes), maxGas).slice(0, maxTxs);
    const draft = { txs: reaped, evidence, lastCommit, proposerAddress, maxTxBytes };
    const request = prepareRequest(context, draft);
    const { txs } = await this.#ports.application.prepareProposal(request);
    const bytes = bytesOf(txs);
    if (bytes > maxTxBytes || txs.length > maxTxs) {
      throw new LedgerError(
        'state.proposal_too_large',
        'the application prepared more bytes or transactions than a block may hold',
        { bytes, maxTxBytes, txs: txs.length, maxTxs },
      );
    }
    const { rules = RULES } = this.#ports;
    return cutBlock(rules.makeBlock(context, { txs, evidence, lastCommit, proposerAddress }));
  }

  /** What fits the node's speed; a single transaction that alone is more than that has its turn, too. */
  #reap(limit: number, maxGas: bigint): readonly Uint8Array[] {
    const { mempool } = this.#ports;
    const reaped = mempool.reap(this.#size.bytesMax(limit), maxGas);
    return reaped.length > 0 ? reaped : mempool.reap(limit, maxGas).slice(0, 1);
  }

  async #judge(block: Block): Promise<Judgement> {
    try {
      if (this.#verify(block) === 'unknown') return { validity: 'rejected', reason: UNKNOWN_EVIDENCE };
    } catch (error) {
      if (isDamage(error)) throw error; // it says nothing about the block
      return { validity: 'invalid', reason: messageOf(error) };
    }
    const request = processRequest(block, this.#state.lastValidators);
    const { status } = await this.#ports.application.processProposal(request);
    if (status === ProposalStatus.ACCEPT) {
      this.#speculate(block);
      return { validity: 'accepted', reason: undefined };
    }
    return { validity: 'rejected', reason: 'the application refused the proposal' };
  }

  /**
   * Evidence that this node cannot judge is no reason to stand apart from those who could and decided the
   * block: it does not vote for such a block of its own accord, and takes it when the others do.
   * @throws LedgerError when the block does not follow from the state
   */
  #verify(block: Block): ReturnType<BlockEvidence['check']> {
    const known = this.#verified.get(block);
    if (known !== undefined) return known;
    const { rules = RULES, verify } = this.#ports;
    rules.verifyBlock(block, contextOf(this.#state), verify);
    const found = this.#ports.evidence.check(block.evidence, block.header.height);
    this.#verified.set(block, found);
    return found;
  }

  /** Only in turn: never between the execution of a decided block and its commit. */
  #speculate(block: Block): void {
    this.#execute(block).results.catch(() => undefined); // told when the block is decided
  }

  /** The results of a decided block: those of its speculative execution, or of executing it now. */
  async #resultsOf(block: Block): Promise<ResponseFinalizeBlock> {
    const speculative = this.#execution?.block === block;
    try {
      return await this.#execute(block).results;
    } catch (error) {
      if (!speculative) throw error;
      this.#execution = undefined;
      return await this.#execute(block).results;
    }
  }

  /**
   * Executes a block, unless that is done or under way. The application executes one at a time: another block
   * is told to end first, whatever became of it.
   */
  #execute(block: Block): Execution {
    const before = this.#execution;
    if (before?.block === block) return before;
    if (before !== undefined) before.cancelled = true;
    const ended = before?.results.then(ignore, ignore) ?? Promise.resolve();
    const execution: Execution = { block, cancelled: false, results: ended.then(() => this.#run(execution)) };
    this.#execution = execution;
    return execution;
  }

  async #run(execution: Execution): Promise<ResponseFinalizeBlock> {
    const { application, nowMs = machineNowMs } = this.#ports;
    const { block } = execution;
    if (execution.cancelled)
      throw new LedgerError('state.cancelled', 'another block is executed in its place');
    const began = nowMs();
    const request = finalizeRequest(block, this.#state.lastValidators);
    const results = await application.finalizeBlock(request, execution);
    this.#size.executed(bytesOf(block.txs), nowMs() - began);
    return results;
  }

  async #apply(decided: DecidedInput): Promise<CommittedBlock> {
    const { application, mempool, evidence, store } = this.#ports;
    const { block } = decided;
    const { height } = block.header;
    this.#verify(block);
    const results = await this.#resultsOf(block);
    checkResults(block, results);
    await decided.stored;
    await Promise.all([store.saveResults(height, results), this.#mempoolUpdate]);
    const next = afterBlock(this.#state, { header: block.header, blockId: decided.blockId }, results);
    const committed = committedBlock(block, decided.blockId, results);
    await evidence.update(next, block.evidence);
    const unlock = await mempool.lock();
    try {
      const { retainHeight } = await application.commit();
      this.#state = next;
      this.#verified = new WeakMap();
      this.#execution = undefined;
      await store.save(next);
      if (retainHeight > 0n) await this.#ports.prune(retainHeight);
    } catch (error) {
      unlock();
      throw error;
    }
    this.#mempoolUpdate = mempool.update(committed).finally(unlock);
    this.#mempoolUpdate.catch(() => undefined); // reported when the next block waits for it
    return committed;
  }
}

const machineNowMs = (): number => performance.now();

/** Bytes that transactions take in a block. */
function bytesOf(txs: readonly Uint8Array[]): number {
  return txs.reduce((sum, tx) => sum + 1 + uvarintLength(tx.length) + tx.length, 0);
}

/** @throws LedgerError `state.results` when the application did not answer to each transaction */
export function checkResults(block: Block, results: ResponseFinalizeBlock): void {
  if (results.txResults.length !== block.txs.length) {
    throw new LedgerError('state.results', 'the application did not return one result per transaction', {
      transactions: block.txs.length,
      results: results.txResults.length,
    });
  }
}
