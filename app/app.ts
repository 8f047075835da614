/**
 * The state machine behind ABCI. Everything is synchronous; `cli/` puts the asynchronous port of the node in
 * front.
 *
 * | state    | what it is                                              | until            |
 * | -------- | ------------------------------------------------------- | ---------------- |
 * | block    | branch that genesis and FinalizeBlock write             | FinalizeBlock    |
 * | check    | branch over the last commit that CheckTx writes         | next Commit      |
 * | working  | the store's version under way: a finished block          | Commit           |
 */
import { EMPTY_BYTES, equalBytes } from '../core/bytes.ts';
import { assert, LedgerError } from '../core/errors.ts';
import type { AntePorts } from '../framework/ante/state.ts';
import { type BlockInfo, Context, type ExecutionMode, QueryContext } from '../framework/context.ts';
import { StateError, sdkErrors, toStateError } from '../framework/errors.ts';
import type { Event } from '../framework/events.ts';
import { GasMeter, unlimitedGas } from '../framework/gas.ts';
import { minGasPriceChecker, parseGasPrices } from '../framework/gas-price.ts';
import { QueryRegistry } from '../framework/query.ts';
import { TxCache } from '../framework/tx/cache.ts';
import type { DecodedTx } from '../framework/tx/decode.ts';
import type { SignatureTask } from '../framework/tx/signature.ts';
import {
  CheckTxType,
  type ExecTxResult,
  type RequestCheckTx,
  type RequestFinalizeBlock,
  type RequestInfo,
  type RequestInitChain,
  type RequestPrepareProposal,
  type RequestProcessProposal,
  type RequestQuery,
  type ResponseCheckTx,
  type ResponseCommit,
  type ResponseFinalizeBlock,
  type ResponseInfo,
  type ResponseInitChain,
  type ResponsePrepareProposal,
  type ResponseProcessProposal,
  ResponseProcessProposal_ProposalStatus as ProposalStatus,
  type ResponseQuery,
  type ValidatorUpdate,
} from '../proto/gen/tendermint/abci/types.ts';
import { branchOver } from '../store/branch.ts';
import type { CommitMultiStore, MultiStoreBranch } from '../store/kv.ts';
import { admissionEvents } from './admission.ts';
import { BlockExecution } from './block-execution.ts';
import { blockOf, hookEvents, momentOf, resultOf, undecodable } from './blocks.ts';
import { type ExportedState, type ExportOptions, exportState } from './export.ts';
import { firstValidators, initModules, parseAppState } from './genesis.ts';
import { deliverGenTxs } from './gentxs.ts';
import { type Composition, composeModules } from './modules.ts';
import type { AppOptions } from './options.ts';
import { acceptsTransactions, selectTransactions } from './proposal.ts';
import { answerQuery } from './query.ts';
import { blockRetentionHeight, KEEP_ALL } from './retention.ts';
import { nodeQueries } from './services.ts';
import { nextTransactions, transactionTasks } from './signature-tasks.ts';
import { runTx, type TxEnvironment, type TxOutcome } from './run-tx.ts';
import { openStores, UPGRADES } from './upgrades.ts';

/** A state that transactions run on. */
type StateAt = Pick<TxEnvironment, 'branch' | 'block' | 'blockGasMax'>;

/** How a chain begins. */
interface Genesis {
  readonly request: RequestInitChain;
  readonly branch: MultiStoreBranch;
  readonly events: readonly Event[];
}

/** A block that FinalizeBlock has executed. */
interface FinalizedBlock {
  readonly height: bigint;
  readonly appHash: Uint8Array;
  readonly txs: readonly DecodedTx[];
  /** `evidence.max_age_num_blocks`, as the block leaves it. */
  readonly evidenceMaxAgeBlocks: bigint;
}

const TX_BYTES_MAX = 1_048_576;
const DECODED_TXS_BYTES_MAX = 128 * 1024 * 1024;
const QUERY_GAS_MAX = 100_000_000n;
const EPOCH = { seconds: 0n, nanos: 0 } as const;

/** Name in `info`. */
const APP_NAME = 'openledgerd';

/** The version of the block protocol's application part. */
const APP_VERSION = 0n;

/** Makes the application over a store. @throws LedgerError see `openStores` */
export function createApp(options: AppOptions): OpenLedgerApp {
  const { prefix, upgrades = UPGRADES, skipUpgrades: skipHeights = [], onUpgrade } = options;
  const { furtherModules = [], sendRestrictions = [], verifier } = options;
  const notify = onUpgrade === undefined ? {} : { notify: onUpgrade };
  const settings = { upgrades, skipHeights, furtherModules, sendRestrictions, verifier, ...notify };
  return new OpenLedgerApp(options, composeModules(prefix, settings));
}

/** The application. Calls never overlap; a block may be executed in pieces with other calls between them. */
export class OpenLedgerApp {
  readonly queries: QueryRegistry;
  readonly composition: Composition;
  readonly #options: AppOptions;
  readonly #store: CommitMultiStore;
  readonly #ante: AntePorts;
  readonly #transactions: TxCache;
  /** How the chain begins, and the branch that it has left for the first block; until the first commit. */
  #genesis: Genesis | undefined;
  #check: StateAt;
  #executing: BlockExecution | undefined;
  /** The block that FinalizeBlock has put into the working version. */
  #finalized: FinalizedBlock | undefined;

  constructor(options: AppOptions, composition: Composition) {
    this.#options = options;
    this.#store = options.store;
    this.composition = composition;
    openStores(composition, options.store);
    const { modules, addresses, auth, bank, feegrant, router } = composition;
    this.#ante = {
      accounts: auth,
      fees: bank,
      feeGrants: feegrant,
      addresses,
      verifier: options.verifier,
      checkFee: options.checkFee ?? minGasPriceChecker(parseGasPrices(options.minGasPrices ?? '')),
    };
    this.#transactions = new TxCache(
      { router, addresses },
      options.decodedTxsBytesMax ?? DECODED_TXS_BYTES_MAX,
    );
    this.queries = new QueryRegistry([
      ...modules.flatMap((module) => module.queries),
      ...nodeQueries(
        { types: router.types, simulate: (tx) => this.simulate(tx) },
        options.minGasPrices ?? '',
      ),
    ]);
    this.#check = this.#checkState();
  }

  /** Height of the last commit; 0 before the first. */
  get height(): bigint {
    return this.#store.lastCommit.version;
  }

  /** What building the first state emitted, which no block's results tell. Empty from the first commit on. */
  get genesisEvents(): readonly Event[] {
    return this.#genesis?.events ?? [];
  }

  /** Memory that decoded transactions hold: those that wait for a block, or are in one not yet committed. */
  get decodedTxsBytes(): number {
    return this.#transactions.heldBytes;
  }

  info(_request: RequestInfo): ResponseInfo {
    const { version, hash } = this.#store.lastCommit;
    return {
      data: APP_NAME,
      version: this.#options.version ?? '',
      appVersion: APP_VERSION,
      lastBlockHeight: version,
      lastBlockAppHash: version === 0n ? EMPTY_BYTES : hash,
    };
  }

  /** The store was restored from a snapshot behind the application's back: nothing of before counts. */
  restored(): void {
    this.#genesis = undefined;
    this.#executing = undefined;
    this.#finalized = undefined;
    openStores(this.composition, this.#store);
    this.#check = this.#checkState();
  }

  /** @throws UpgradeError when this program cannot make the next block: it is too old for it, or too new */
  requireProgram(): void {
    const { height } = this;
    if (height > 0n) this.composition.upgrades.due(this.contextAt(height), height + 1n);
  }

  /**
   * Builds the first state in a branch; the first FinalizeBlock goes on from it and commits it.
   * @throws JsonError naming what is wrong in the document, StateError on a wrong chain id or validator
   */
  initChain(request: RequestInitChain): ResponseInitChain {
    const { chainId } = this.#options;
    if (request.chainId !== chainId)
      throw new StateError(
        sdkErrors.invalidChainId,
        `invalid chain-id on InitChain; expected: ${chainId}, got: ${request.chainId}`,
      );
    assert(this.height === 0n, 'InitChain after the first commit');
    this.#executing = undefined;
    const { modules, consensus } = this.composition;
    const branch = this.#store.branch();
    const height = request.initialHeight > 1n ? request.initialHeight : 0n;
    const block = momentOf(chainId, height, request.time);
    const context = new Context({ branch, block, mode: 'genesis', gas: unlimitedGas() });
    if (request.consensusParams !== undefined) consensus.setParams(context, request.consensusParams);
    consensus.setLastTime(context, request.time);
    const appState = parseAppState(request.appStateBytes);
    const staked = initModules(modules, context, appState);
    const environment = this.#environment(this.#stateAt(branch, { ...block, height: 0n }), 'finalize');
    const made = deliverGenTxs(this.composition, { appState, context, environment });
    const validators = firstValidators(request.validators, [...staked, ...made.validators]);
    consensus.apply(context, validators);
    this.#genesis = { request, branch, events: [...context.events, ...made.events] };
    this.#check = this.#stateAt(branch.branch(), momentOf(chainId, request.initialHeight, request.time));
    return {
      consensusParams: request.consensusParams,
      validators,
      appHash: this.#store.lastCommit.hash,
    };
  }

  checkTx(request: RequestCheckTx): ResponseCheckTx {
    const bytesMax = this.#options.txBytesMax ?? TX_BYTES_MAX;
    if (request.tx.length > bytesMax)
      return undecodable(
        new StateError(
          sdkErrors.txTooLarge,
          `transaction of ${request.tx.length} bytes, at most ${bytesMax}`,
        ),
      );
    const tx = this.#decode(request.tx);
    if (tx instanceof StateError) return undecodable(tx);
    const mode = request.type === CheckTxType.RECHECK ? 'recheck' : 'check';
    const result = resultOf(runTx(tx, this.#environment(this.#check, mode)));
    const isAdmitted = result.code === 0 && mode === 'check';
    return isAdmitted ? { ...result, events: admissionEvents(tx, this.#ante.addresses) } : result;
  }

  /**
   * Runs a transaction on the check state and keeps nothing. @throws StateError when the bytes are no
   * transaction
   */
  simulate(txBytes: Uint8Array): TxOutcome {
    const tx = this.#transactions.decode(txBytes);
    const branch = this.#check.branch.branch();
    return runTx(tx, this.#environment({ ...this.#check, branch }, 'simulate'));
  }

  /**
   * The signatures that CheckTx of these bytes would verify now, for checking them elsewhere beforehand.
   * None when the transaction will be refused for another reason.
   */
  signatureTasks(txBytes: Uint8Array): readonly SignatureTask[] {
    const tx = this.#decode(txBytes);
    if (tx instanceof StateError) return [];
    const { branch, block } = this.#check;
    const context = new QueryContext(branch, block, unlimitedGas());
    return transactionTasks(context, tx, this.composition.auth);
  }

  prepareProposal(request: RequestPrepareProposal): ResponsePrepareProposal {
    const room = { bytesMax: request.maxTxBytes, gasMax: this.#check.blockGasMax };
    return { txs: selectTransactions(request.txs, room, (bytes) => this.#readTx(bytes)) };
  }

  processProposal(request: RequestProcessProposal): ResponseProcessProposal {
    const accepted = acceptsTransactions(request.txs, this.#check.blockGasMax, (bytes) =>
      this.#readTx(bytes),
    );
    return { status: accepted ? ProposalStatus.ACCEPT : ProposalStatus.REJECT };
  }

  /**
   * Executes a block into the store's working version.
   * @throws StateError on a height that does not follow; whatever a hook throws, which is a bug
   */
  finalizeBlock(request: RequestFinalizeBlock): ResponseFinalizeBlock {
    const execution = this.beginBlock(request);
    execution.run(request.txs.length);
    return execution.end();
  }

  /**
   * Begins a block that is executed in pieces: see `BlockExecution` for what may be called between them.
   * @throws as `finalizeBlock`
   */
  beginBlock(request: RequestFinalizeBlock): BlockExecution {
    this.#expectHeight(request.height);
    if (this.#finalized !== undefined) this.#undoFinalized();
    const { chainId } = this.#options;
    const block = blockOf(request, { chainId, appHash: this.#store.lastCommit.hash });
    // Genesis stays as it is until the block ends: the block may be executed again.
    const genesis = this.#genesis?.branch;
    const branch = genesis?.branch() ?? this.#store.branch();
    const begin = this.#runHooks(branch, block, 'BeginBlock');
    const keyTypes = this.composition.consensus.keyTypes(new QueryContext(branch, block, unlimitedGas()));
    const environment = this.#environment(this.#stateAt(branch, block), 'finalize');
    const txs: DecodedTx[] = [];
    const execution = new BlockExecution({
      txs: request.txs,
      next: (rest) => {
        const scratch = {
          ...environment,
          branch: branch.branch(),
          mode: 'check',
          blockGas: undefined,
        } as const;
        return nextTransactions(
          rest.map((bytes) => this.#readTx(bytes)),
          scratch,
        );
      },
      deliver: (bytes) => {
        const tx = this.#decode(bytes);
        if (!(tx instanceof StateError)) txs.push(tx);
        return this.#deliver(tx, environment);
      },
      end: (txResults) => {
        assert(this.#executing === execution, 'the block under way is another one');
        this.#executing = undefined;
        const end = this.#runHooks(branch, block, 'EndBlock', keyTypes);
        const context = new Context({ branch, block, mode: 'finalize', gas: unlimitedGas() });
        const consensusParamUpdates = this.composition.consensus.params(context);
        branch.write();
        genesis?.write();
        const appHash = this.#store.workingHash();
        const evidenceMaxAgeBlocks = consensusParamUpdates.evidence?.maxAgeNumBlocks ?? 0n;
        this.#finalized = { height: block.height, appHash, txs, evidenceMaxAgeBlocks };
        return {
          events: [...begin.events, ...end.events],
          txResults,
          validatorUpdates: end.validatorUpdates,
          consensusParamUpdates,
          appHash,
        };
      },
    });
    this.#executing = execution;
    return execution;
  }

  /** Makes the finished block's state the last commit. */
  commit(): ResponseCommit {
    assert(this.#executing === undefined, 'Commit in the middle of a block');
    assert(this.#finalized !== undefined, 'Commit without FinalizeBlock');
    const { height, evidenceMaxAgeBlocks } = this.#finalized;
    const { hash } = this.#store.commit(height);
    // They differ when the store was opened for another first height than the chain's.
    assert(equalBytes(hash, this.#finalized.appHash), 'the committed hash is not the one that was reported');
    for (const tx of this.#finalized.txs) this.#transactions.forget(tx);
    this.#finalized = undefined;
    this.#genesis = undefined;
    this.#check = this.#checkState();
    const retention = this.#options.retention ?? KEEP_ALL;
    return { retainHeight: blockRetentionHeight(height, { ...retention, evidenceMaxAgeBlocks }) };
  }

  query(request: RequestQuery): ResponseQuery {
    return answerQuery(request, {
      store: this.#store,
      queries: this.queries,
      version: this.#options.version ?? '',
      contextAt: (height) => this.contextAt(height),
      simulate: (txBytes) => this.simulate(txBytes),
    });
  }

  /** Reads the state of a height. @throws StateError (sdk 18) when it is pruned or not yet there */
  contextAt(height: bigint): QueryContext {
    const gas = new GasMeter(this.#options.queryGasMax ?? QUERY_GAS_MAX);
    const { chainId } = this.#options;
    try {
      const stores = this.#store.at(height);
      const unmetered = new QueryContext(stores, momentOf(chainId, height, EPOCH), unlimitedGas());
      const time = this.composition.consensus.lastTime(unmetered) ?? EPOCH;
      return new QueryContext(stores, momentOf(chainId, height, time), gas);
    } catch (error) {
      if (!(error instanceof LedgerError) || error.code !== 'store.version_missing') throw error;
      throw new StateError(
        sdkErrors.invalidRequest,
        `failed to load state at height ${height}; ${error.message} (latest height: ${this.height})`,
      );
    }
  }

  /** What every module says about the state: empty when all invariants hold. */
  brokenInvariants(height: bigint = this.height): readonly string[] {
    const stores = this.#store.at(height);
    const context = new QueryContext(stores, momentOf(this.#options.chainId, height, EPOCH), unlimitedGas());
    return this.composition.modules.flatMap(({ name, invariants }) =>
      invariants.flatMap((invariant) => {
        const problem = invariant.check(context);
        return problem === undefined ? [] : [`${name}/${invariant.name}: ${problem}`];
      }),
    );
  }

  /**
   * The state of a height as the parts of a genesis document.
   * @throws StateError (sdk 18) when it is pruned or not yet there, and what `exportState` throws
   */
  exportState(options: ExportOptions = {}): ExportedState {
    const { block } = this.contextAt(options.height ?? this.height);
    const branch = branchOver(this.#store.at(block.height));
    return exportState(this.composition, { branch, block }, options);
  }

  #deliver(tx: DecodedTx | StateError, environment: TxEnvironment): ExecTxResult {
    if (tx instanceof StateError) return undecodable(new StateError(sdkErrors.txDecode));
    return resultOf(runTx(tx, environment));
  }

  #runHooks(
    branch: MultiStoreBranch,
    block: BlockInfo,
    when: 'BeginBlock' | 'EndBlock',
    keyTypes: readonly string[] = [],
  ): { readonly events: readonly Event[]; readonly validatorUpdates: readonly ValidatorUpdate[] } {
    const options = { branch, block, mode: 'finalize', gas: unlimitedGas() } as const;
    const [before, context] = [new Context(options), new Context(options)];
    const validatorUpdates: ValidatorUpdate[] = [];
    const { beginBlockers, modules } = this.composition;
    if (when === 'BeginBlock') for (const module of modules) module.preBlock?.(before);
    if (when === 'BeginBlock') for (const module of beginBlockers) module.beginBlock?.(context);
    else for (const module of modules) validatorUpdates.push(...(module.endBlock?.(context) ?? []));
    if (validatorUpdates.length > 0) this.composition.consensus.apply(context, validatorUpdates, keyTypes);
    return { events: [...before.events, ...hookEvents(context.events, when)], validatorUpdates };
  }

  #environment(state: StateAt, mode: ExecutionMode): TxEnvironment {
    const countsBlockGas = mode === 'finalize' && state.blockGasMax > 0n;
    const blockGas = countsBlockGas ? new GasMeter(state.blockGasMax) : undefined;
    return { ...state, mode, ante: this.#ante, blockGas };
  }

  #stateAt(branch: MultiStoreBranch, block: BlockInfo): StateAt {
    const context = new QueryContext(branch, block, unlimitedGas());
    const blockGasMax = this.composition.consensus.params(context).block?.maxGas ?? -1n;
    return { branch, block, blockGasMax };
  }

  #checkState(): StateAt {
    const { height } = this;
    if (height === 0n) return this.#stateAt(this.#store.branch(), momentOf(this.#options.chainId, 0n, EPOCH));
    return this.#stateAt(branchOver(this.#store.at(height)), this.contextAt(height).block);
  }

  #decode(bytes: Uint8Array): DecodedTx | StateError {
    try {
      return this.#transactions.decode(bytes);
    } catch (error) {
      return toStateError(error);
    }
  }

  #readTx(bytes: Uint8Array): DecodedTx | undefined {
    const tx = this.#decode(bytes);
    return tx instanceof StateError ? undefined : tx;
  }

  /**
   * A block may be executed again before it is committed. The first one stands on genesis, which is redone
   * then.
   */
  #undoFinalized(): void {
    this.#store.rollback();
    this.#finalized = undefined;
    if (this.#genesis !== undefined) this.initChain(this.#genesis.request);
  }

  #expectHeight(height: bigint): void {
    const genesis = this.#genesis?.request;
    if (this.height === 0n && genesis === undefined)
      throw new StateError(sdkErrors.invalidHeight, 'FinalizeBlock before InitChain');
    const first = genesis === undefined || genesis.initialHeight === 0n ? 1n : genesis.initialHeight;
    const expected = this.height === 0n ? first : this.height + 1n;
    if (height !== expected)
      throw new StateError(sdkErrors.invalidHeight, `invalid height: ${height}; expected: ${expected}`);
  }
}
