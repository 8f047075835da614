/** One chain under random operations: makes blocks, executes them twice, and checks what must hold. */
import type { OpenLedgerApp } from '../../app/app.ts';
import { equalBytes, utf8 } from '../../core/bytes.ts';
import { messageOf } from '../../core/errors.ts';
import { sha256 } from '../../core/hash.ts';
import { addDuration } from '../../core/time.ts';
import { type Coins, normalizeCoins } from '../../framework/coins.ts';
import type { Timestamp } from '../../framework/context.ts';
import { MsgHoldPayment } from '../../proto/gen/openledger/payments/v1/tx.ts';
import { TxMsgData } from '../../proto/gen/cosmos/base/abci/v1beta1/abci.ts';
import {
  CheckTxType,
  type ExecTxResult,
  type RequestFinalizeBlock,
  RequestPrepareProposal,
  RequestProcessProposal,
  ResponseProcessProposal_ProposalStatus as ProposalStatus,
  ResponseFinalizeBlock,
  type ValidatorUpdate,
} from '../../proto/gen/tendermint/abci/types.ts';
import { consensusKey } from '../support/staking-world.ts';
import { type Actor, keyAddress } from './actors.ts';
import { Coverage } from './coverage.ts';
import { CHAIN_ID, randomBeginning } from './genesis.ts';
import { ExchangeRates } from './exchange-rate.ts';
import { InvariantWatch } from './invariants.ts';
import { Memory } from './memory.ts';
import { memoryApplication, RestartingApplication } from './nodes.ts';
import { Offences } from './offences.ts';
import { Random } from './random.ts';
import { mintedDenoms, problemOfSupply } from './supply.ts';
import { Trace } from './trace.ts';
import { makesProposal, type Sent, Traffic } from './traffic.ts';
import type { SigningPorts } from './transactions.ts';
import { problemOfExport, requestOf } from './transfer.ts';
import { type Signer, ValidatorSets } from './validators.ts';
import { BOND_DENOM, OTHER_DENOM, type World } from './world.ts';

/** Changes an application before its chain begins: for planted bugs. */
export type Plant = (app: OpenLedgerApp) => void;

/** What is run. */
export interface SimulationOptions {
  readonly seed: number;
  readonly blocks: number;
  readonly plant?: Plant;
}

/** Something that must hold and did not. */
export interface Violation {
  readonly height: bigint;
  readonly invariant: string;
  readonly sentence: string;
}

/** Code of a transaction in which something was thrown that is no refusal: see `toStateError`. */
const PANIC_CODE = 111_222;

const WORKERS_MAX = 2;
const RESTART_ONE_IN = 60;
const EXPORT_ONE_IN = 120;
const CHECK_ONE_IN = 5;

/** See the file comment. */
export class Simulation {
  readonly coverage: Coverage = new Coverage();
  readonly trace: Trace = new Trace();
  readonly violations: Violation[] = [];
  /** SHA-256 over all app hashes: equal for equal runs. */
  digest: Uint8Array = sha256(new Uint8Array());
  transactions = 0;
  imports = 0;
  readonly #options: SimulationOptions;
  readonly #random: Random;
  readonly #actors: readonly Actor[];
  readonly #memory = new Memory();
  readonly #rates = new ExchangeRates();
  readonly #traffic = new Traffic();
  readonly #offences = new Offences(keyAddress(consensusKey(0)));
  #sets: ValidatorSets;
  #app: OpenLedgerApp;
  #watch: InvariantWatch;
  #second: RestartingApplication;
  #height = 0n;
  #time: Timestamp;
  #supply: Coins;
  readonly #denoms = new Set<string>([BOND_DENOM, OTHER_DENOM]);
  /** The block before belongs to another chain, from which this one goes on. */
  #isFirst = true;

  private constructor(
    options: SimulationOptions,
    random: Random,
    given: { readonly actors: readonly Actor[]; readonly time: Timestamp } & Started,
  ) {
    this.#options = options;
    this.#random = random;
    this.#actors = given.actors;
    this.#time = given.time;
    this.#app = given.app;
    this.#watch = given.watch;
    this.#second = given.second;
    this.#sets = new ValidatorSets(given.validators);
    this.#supply = [];
  }

  /** A chain at its genesis. */
  static async begin(options: SimulationOptions): Promise<Simulation> {
    const random = new Random(options.seed);
    const { actors, request } = randomBeginning(random);
    const started = await start(options, request, random.below(WORKERS_MAX + 1));
    return new Simulation(options, random, { actors, time: request.time, ...started });
  }

  get height(): bigint {
    return this.#height;
  }

  /** Makes blocks until there are enough, or something is wrong. */
  async run(): Promise<void> {
    const { blocks } = this.#options;
    for (let i = 0; i < blocks && this.violations.length === 0; i++) {
      await this.#block();
      if (this.#height > 0n && this.#random.oneIn(RESTART_ONE_IN)) await this.#restart();
      if (this.violations.length === 0 && this.#random.oneIn(EXPORT_ONE_IN)) await this.#transfer();
    }
    if (this.violations.length === 0) this.#checkModules();
    if (this.violations.length === 0) this.#exportAndImport(false);
    if (this.violations.length === 0) this.#exportAndImport(true);
    await this.#second.close();
  }

  async #block(): Promise<void> {
    const sent = this.#height === 0n ? [] : this.#traffic.next(this.#world(), this.#signing());
    const request = this.#request(sent);
    const results = await this.#execute(request);
    if (results === undefined) return;
    this.#isFirst = false;
    this.#height = request.height;
    this.#time = request.time;
    const world = this.#world();
    for (const [i, one] of sent.entries()) this.#delivered(world, one, results.txResults[i]);
    this.#learnProposals(results);
    this.#check(world, results);
  }

  #world(): World {
    const app = this.#app;
    return {
      random: this.#random,
      composition: app.composition,
      context: app.contextAt(app.height),
      time: this.#time,
      height: this.#height,
      actors: this.#actors,
      memory: this.#memory,
    };
  }

  #signing(): SigningPorts {
    const { router, addresses, auth } = this.#app.composition;
    const context = this.#app.contextAt(this.#app.height);
    return {
      chainId: CHAIN_ID,
      router,
      addresses,
      account: ({ bytes }) => auth.find(context, bytes) ?? { sequence: 0n, accountNumber: 0n },
    };
  }

  #request(sent: readonly Sent[]): RequestFinalizeBlock {
    const random = this.#random;
    const height = this.#height + 1n;
    const seconds = BigInt(random.oneIn(50) ? random.between(60, 4000) : random.between(0, 8));
    const time = addDuration(this.#time, { seconds, nanos: random.between(1, 999_999_999) });
    const { last, next } = this.#sets;
    const votes = this.#isFirst ? [] : this.#offences.votes(random, last);
    const misbehavior = this.#offences.misbehavior(random);
    const proposer: Signer | undefined = random.some(next);
    this.#offences.decided({ height, time, set: next });
    const absent = votes.filter(({ blockIdFlag }) => blockIdFlag === 1).length;
    const notes = `${absent > 0 ? `, ${absent} absent` : ''}${misbehavior.length > 0 ? `, misbehavior of ${misbehavior[0]?.height}` : ''}`;
    this.trace.note(`block ${height} +${seconds} s, ${next.length} validators${notes}`);
    return {
      txs: sent.map(({ bytes }) => bytes),
      decidedLastCommit: { round: 0, votes },
      misbehavior,
      hash: sha256(utf8(`block ${height}`)),
      height,
      time,
      nextValidatorsHash: sha256(utf8(`validators ${this.#sets.afterNext.length}`)),
      proposerAddress: proposer?.address ?? new Uint8Array(20),
    };
  }

  /** Executes on both; undefined when one of them throws. */
  async #execute(request: RequestFinalizeBlock): Promise<ResponseFinalizeBlock | undefined> {
    for (const tx of request.txs)
      if (this.#random.oneIn(CHECK_ONE_IN)) this.#app.checkTx({ tx, type: CheckTxType.NEW });
    if (this.#random.oneIn(CHECK_ONE_IN)) this.#propose(request);
    try {
      const first = this.#app.finalizeBlock(request);
      const second = await this.#second.finalizeBlock(request);
      const isSame = equalBytes(ResponseFinalizeBlock.encode(first), ResponseFinalizeBlock.encode(second));
      if (!isSame) this.#violated('determinism', differenceOf(first, second));
      this.#app.commit();
      await this.#second.commit();
      this.digest = sha256(Uint8Array.of(...this.digest, ...first.appHash));
      return first;
    } catch (error) {
      this.#violated('hooks', `block ${request.height} cannot be executed: ${stackOf(error)}`);
      return undefined;
    }
  }

  /** What one proposes, the other accepts. */
  #propose({ txs, time, height }: RequestFinalizeBlock): void {
    const proposal = RequestPrepareProposal.create({ txs, time, height, maxTxBytes: 100_000n });
    const proposed = this.#app.prepareProposal(proposal).txs;
    const request = RequestProcessProposal.create({ txs: proposed, time, height });
    const { status } = this.#second.app.processProposal(request);
    if (status !== ProposalStatus.ACCEPT) this.#violated('proposals', 'one proposes what the other refuses');
  }

  #delivered(world: World, sent: Sent, result: ExecTxResult | undefined): void {
    if (result === undefined) return;
    this.transactions++;
    this.trace.transaction(sent, result);
    const succeeded = result.code === 0;
    const { messages } = sent.envelope;
    for (const message of messages) this.coverage.count(message, succeeded);
    if (result.code === PANIC_CODE) this.#violated('panics', result.log);
    if (!succeeded) return;
    const { msgResponses } = TxMsgData.decode(result.data);
    for (const [i, { typeUrl, value }] of messages.entries()) {
      const response = msgResponses[i];
      if (response === undefined) continue;
      this.#memory.learn({ typeUrl, bytes: value }, response, world.height);
      const proposal = this.#memory.proposals.at(-1);
      if (makesProposal(typeUrl) && proposal !== undefined) this.#traffic.proposed(world, proposal.id);
      const holdId = this.#memory.holdIds.at(-1);
      if (typeUrl === MsgHoldPayment.typeUrl && holdId !== undefined) this.#traffic.held(world, holdId);
    }
  }

  /** What governance executed counts as delivered. */
  #learnProposals({ events }: ResponseFinalizeBlock): void {
    for (const { type, attributes } of events) {
      if (type !== 'active_proposal' && type !== 'inactive_proposal') continue;
      const attributeOf = (name: string): string => attributes.find(({ key }) => key === name)?.value ?? '';
      const [id, result, log] = [
        attributeOf('proposal_id'),
        attributeOf('proposal_result'),
        attributeOf('proposal_log'),
      ];
      const proposal = this.#memory.proposals.find((one) => one.id.toString() === id);
      this.trace.note(`  proposal ${id} of ${proposal?.typeUrls.join(', ') ?? '?'}: ${result} ${log}`);
      if (result !== 'expedited_proposal_rejected') this.#memory.decided(id);
      if (result !== 'proposal_passed' && result !== 'proposal_failed') continue;
      for (const typeUrl of proposal?.typeUrls ?? [])
        this.coverage.countType(typeUrl, result === 'proposal_passed');
      if (log.includes('recovered')) this.#violated('panics', log);
    }
  }

  #check(world: World, results: ResponseFinalizeBlock): void {
    for (const problem of this.#sets.executed(results.validatorUpdates)) this.#violated('engine', problem);
    this.#watch.committed();
    this.#checkModules();
    for (const problem of this.#rates.problems(world.composition, world.context, results))
      this.#violated('exchange rate', problem);
    const { bank } = world.composition;
    for (const denom of mintedDenoms(results)) this.#denoms.add(denom);
    const supply = normalizeCoins(
      [...this.#denoms].map((denom) => ({ denom, amount: bank.supply(world.context, denom) })),
    );
    const problem = this.#supply.length === 0 ? undefined : problemOfSupply(this.#supply, supply, results);
    if (problem !== undefined) this.#violated('conservation', problem);
    this.#supply = supply;
  }

  #checkModules(): void {
    for (const problem of this.#watch.broken()) this.#violated('modules', problem);
  }

  async #restart(): Promise<void> {
    const workers = this.#random.below(WORKERS_MAX + 1);
    this.trace.note(`restart with ${workers} workers`);
    this.#second = await this.#second.restarted(workers);
    this.#options.plant?.(this.#second.app);
  }

  #exportAndImport(forZeroHeight: boolean): void {
    this.imports++;
    try {
      const problem = problemOfExport(this.#app, { time: this.#time, forZeroHeight });
      if (problem !== undefined) this.#violated('export', problem);
    } catch (error) {
      this.#violated('export', `what was exported cannot be imported: ${stackOf(error)}`);
    }
  }

  /** The chain goes on from its exported state, with the validators that it had. */
  async #transfer(): Promise<void> {
    this.#exportAndImport(false);
    if (this.violations.length > 0) return;
    const request = requestOf(this.#app.exportState(), this.#time);
    this.trace.note(`export and import, to go on with height ${request.initialHeight}`);
    await this.#second.close();
    const workers = this.#random.below(WORKERS_MAX + 1);
    const { app, watch, second, validators } = await start(this.#options, request, workers);
    const sets = new ValidatorSets(validators);
    if (!sameSet(sets.next, this.#sets.afterNext))
      this.#violated('export', 'the imported chain has other validators than the exported one');
    this.#app = app;
    this.#watch = watch;
    this.#second = second;
    this.#sets = sets;
    this.#isFirst = true;
    this.trace.note('first block of the imported chain');
    await this.#empty();
  }

  /** The first block of a chain: nothing can be asked of it before. */
  async #empty(): Promise<void> {
    const request = this.#request([]);
    const results = await this.#execute(request);
    if (results === undefined) return;
    this.#isFirst = false;
    this.#height = request.height;
    this.#time = request.time;
    this.#learnProposals(results);
    this.#check(this.#world(), results);
  }

  #violated(invariant: string, sentence: string): void {
    this.violations.push({ height: this.#height, invariant, sentence });
  }
}

interface Started {
  readonly app: OpenLedgerApp;
  readonly watch: InvariantWatch;
  readonly second: RestartingApplication;
  readonly validators: readonly ValidatorUpdate[];
}

async function start(
  { plant }: SimulationOptions,
  request: Parameters<OpenLedgerApp['initChain']>[0],
  workers: number,
): Promise<Started> {
  const { app, store } = memoryApplication(request.initialHeight);
  const watch = new InvariantWatch(app, store);
  const second = await RestartingApplication.open(request.initialHeight, workers);
  plant?.(app);
  plant?.(second.app);
  const { validators } = app.initChain(request);
  second.app.initChain(request);
  return { app, watch, second, validators };
}

function sameSet(a: readonly Signer[], b: readonly Signer[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ address, power }, i) => b[i]?.power === power && equalBytes(address, b[i].address))
  );
}

function differenceOf(first: ResponseFinalizeBlock, second: ResponseFinalizeBlock): string {
  const at = first.txResults.findIndex((result, i) => result.log !== second.txResults[i]?.log);
  return at < 0
    ? 'app hashes or events differ'
    : `transaction ${at}: ${first.txResults[at]?.log} or ${second.txResults[at]?.log}`;
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? messageOf(error)) : messageOf(error);
}
