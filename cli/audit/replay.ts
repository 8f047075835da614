/**
 * The state machine again, over a store of its own in memory, driven by nothing but blocks. A block counts
 * when the validators that the replay itself has come to have signed it; then what its header says of the
 * chain before it must be what the replay knows, and only then it is executed.
 */
import { createApp, type OpenLedgerApp } from '../../app/app.ts';
import { composeModules, storeNames } from '../../app/modules.ts';
import { type Block, cutBlock } from '../../consensus/types/block.ts';
import type { BlockId } from '../../consensus/types/block-id.ts';
import { verifyBlock } from '../../consensus/types/block-rules.ts';
import { verifyCommit } from '../../consensus/types/verify-commit.ts';
import { EMPTY_BYTES, equalBytes, toUpperHex } from '../../core/bytes.ts';
import { LedgerError, messageOf } from '../../core/errors.ts';
import { txHashHex } from '../../core/tx-hash.ts';
import type { Event } from '../../framework/events.ts';
import type { Module } from '../../framework/module.ts';
import { CachedSignatureVerifier } from '../../node/crypto/signature-verifier.ts';
import { VerifierPool } from '../../node/crypto/verifier-pool.ts';
import { machine } from '../../node/environment.ts';
import { genesisOf } from '../../node/node-settings.ts';
import {
  afterBlock,
  afterInitChain,
  type ChainState,
  contextOf,
  genesisState,
} from '../../node/state/chain-state.ts';
import { checkResults } from '../../node/state/executor.ts';
import { finalizeRequest, initChainRequest } from '../../node/state/requests.ts';
import type { ResponseFinalizeBlock } from '../../proto/gen/tendermint/abci/types.ts';
import { MemoryMultiStore } from '../../store/multistore.ts';
import { runVerified, transactionVerifier, verifierTask } from '../application.ts';
import type { CheckedGenesis } from '../home/genesis-file.ts';
import { AuditDifference, type NamedTransaction } from './difference.ts';
import { EvidenceWindow, type ReadBlock } from './evidence-window.ts';
import { headerDifference } from './header.ts';
import type { DecidedBlock } from './source.ts';

/** The version before the last one tells what a block changed. */
export const KEEP_VERSIONS = 2;
/** Results of signature checks that are kept: those of a large block. */
const SIGNATURES_MAX = 40_000;
const VERIFIER_WORKERS = 1;

/** The program that executes the blocks. */
export interface ReplayProgram {
  readonly genesis: Pick<CheckedGenesis, 'document' | 'prefix'>;
  /** Heights whose upgrades were passed over. */
  readonly skipUpgrades?: readonly bigint[];
  /** Modules besides this program's own. Default: none. */
  readonly furtherModules?: readonly Module[];
  /** Changes the application before it runs: tests plant bugs with it. */
  readonly prepare?: (app: OpenLedgerApp) => void;
}

/** A state to go on from: of the application, and of the chain. */
export interface ReplayState {
  readonly store: MemoryMultiStore;
  readonly chain: ChainState;
}

/** A block that was executed. */
export interface Executed {
  readonly block: Block;
  readonly blockId: BlockId;
  readonly results: ResponseFinalizeBlock;
}

/** See the file comment. */
export class Replay {
  readonly genesis: ReplayProgram['genesis'];
  readonly app: OpenLedgerApp;
  readonly store: MemoryMultiStore;
  readonly evidence: EvidenceWindow = new EvidenceWindow();
  readonly #pool: VerifierPool;
  readonly #verifier: CachedSignatureVerifier;
  #state: ChainState;

  private constructor(program: ReplayProgram, store: MemoryMultiStore, state: ChainState) {
    const { genesis, furtherModules = [], skipUpgrades = [], prepare } = program;
    this.genesis = genesis;
    this.store = store;
    this.#state = state;
    this.#pool = new VerifierPool({ workers: VERIFIER_WORKERS });
    this.#verifier = new CachedSignatureVerifier(this.#pool, { cacheEntriesMax: SIGNATURES_MAX });
    this.app = createApp({
      store,
      chainId: genesis.document.chainId,
      prefix: genesis.prefix,
      skipUpgrades,
      furtherModules,
      verifier: transactionVerifier(this.#verifier),
    });
    prepare?.(this.app);
  }

  /** Begins with a genesis document. @throws as the chain would: JsonError, StateError */
  static fromGenesis(program: ReplayProgram): Replay {
    const { document, prefix } = program.genesis;
    const { furtherModules = [] } = program;
    const genesis = genesisOf(document);
    const store = new MemoryMultiStore({
      stores: storeNames(composeModules(prefix, { furtherModules }).modules),
      initialVersion: genesis.initialHeight,
      keepVersions: KEEP_VERSIONS,
    });
    const replay = new Replay(program, store, genesisState(genesis));
    replay.#state = afterInitChain(replay.#state, replay.app.initChain(initChainRequest(genesis)));
    return replay;
  }

  /** Goes on from a state that somebody trusts. @throws LedgerError `app.stores` */
  static fromState(program: ReplayProgram, { store, chain }: ReplayState): Replay {
    return new Replay(program, store, chain);
  }

  /** What is known of the chain after the last executed block. */
  get state(): ChainState {
    return this.#state;
  }

  /** What happened before the first block. */
  get genesisEvents(): readonly Event[] {
    return this.app.genesisEvents;
  }

  /**
   * Executes the next block and commits it.
   * @throws AuditDifference; LedgerError `audit.program` when this program cannot execute it
   */
  async apply(decided: DecidedBlock, read: ReadBlock): Promise<Executed> {
    const { block } = decided;
    const before = this.#state;
    const blockId = this.confirm(decided);
    await this.evidence.check(block, before, read);
    const results = await this.#execute(block);
    this.#state = afterBlock(before, { header: block.header, blockId }, results);
    this.evidence.add(block, before.validators, this.#state);
    return { block, blockId, results };
  }

  /**
   * Holds a block against the chain so far: signed by its validators, and true in what it says of the blocks
   * before. It is not executed. @throws AuditDifference
   */
  confirm({ block, commit }: DecidedBlock): BlockId {
    const state = this.#state;
    const { height } = block.header;
    const { blockId } = cutBlock(block);
    if (!equalBytes(commit.blockId.hash, blockId.hash))
      throw new AuditDifference({
        height,
        what: 'block hash',
        chain: `precommits for ${toUpperHex(commit.blockId.hash)}`,
        replay: `a block of the hash ${toUpperHex(blockId.hash)}`,
        note: 'it is not the block that was decided',
      });
    const { chainId, validators } = state;
    try {
      verifyCommit({ chainId, validators, height, blockId, commit, verify: machine.verify });
    } catch (error) {
      const replay = `that they do not decide it: ${messageOf(error)}`;
      const chain = `precommits for ${toUpperHex(blockId.hash)}`;
      const note = `they stand in block ${height + 1n}`;
      throw new AuditDifference({ height, what: 'signatures', chain, replay, note }, error);
    }
    const difference = headerDifference(block.header, contextOf(state));
    if (difference !== undefined) throw new AuditDifference(difference);
    try {
      verifyBlock(block, contextOf(state), machine.verify);
    } catch (error) {
      const chain = `a block that its validators signed`;
      throw new AuditDifference({ height, what: 'block', chain, replay: messageOf(error) }, error);
    }
    return blockId;
  }

  /** What all modules say of the state: empty when their invariants hold. */
  brokenInvariants(): readonly string[] {
    return this.app.brokenInvariants();
  }

  async close(): Promise<void> {
    await this.#pool.stop();
  }

  async #execute(block: Block): Promise<ResponseFinalizeBlock> {
    const { height } = block.header;
    const request = finalizeRequest(block, this.#state.lastValidators);
    const tasks = block.txs.flatMap((tx) => this.app.signatureTasks(tx));
    await this.#verifier.prefetch(tasks.map(verifierTask));
    try {
      const execution = this.app.beginBlock(request);
      await runVerified(execution, {
        verify: (statements) => this.#verifier.prefetch(statements.map(verifierTask)),
      });
      const results = execution.end();
      checkResults(block, results);
      this.app.commit();
      return results;
    } catch (cause) {
      throw new LedgerError(
        'audit.program',
        `this program cannot execute block ${height}: ${messageOf(cause)}`,
        { height },
        cause,
      );
    }
  }
}

/** A transaction of a block by its place. */
export function transactionAt({ txs }: Block, index: number): NamedTransaction {
  return { index, hash: txHashHex(txs[index] ?? EMPTY_BYTES) };
}
