/** One run: machines, wires, clients, and the observer that holds what they do against the invariants. */
import { toHex } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { messageOf } from '../../core/errors.ts';
import type { Vote } from '../../consensus/types/vote.ts';
import type { StateSnapshotSettings } from '../../cli/state-snapshots.ts';
import type { Module } from '../../framework/module.ts';
import type { GenesisDocument } from '../../genesis/document.ts';
import type { NodeConfig } from '../../node/config/config.ts';
import type { CommittedBlock } from '../../node/committed-block.ts';
import { decodeVoteMessage } from '../../node/gossip/messages.ts';
import { simulationConfig, simulationGenesis, transfer } from './chain.ts';
import { Killed } from './disk/files.ts';
import { type Blame, blockValue, type Invariant, readSigned, shortValue } from './facts.ts';
import { agreement } from './invariants/agreement.ts';
import { blame } from './invariants/blame.ts';
import { evidence } from './invariants/evidence.ts';
import { doubleSign } from './invariants/double-sign.ts';
import { lockedValue } from './invariants/locked-value.ts';
import { badBlocks } from './invariants/bad-blocks.ts';
import { once } from './invariants/once.ts';
import { punished } from './invariants/punished.ts';
import { replay } from './invariants/replay.ts';
import { restore } from './invariants/restore.ts';
import { undamaged } from './invariants/undamaged.ts';
import { blockTime } from './invariants/time.ts';
import { validity } from './invariants/validity.ts';
import type { SignatureScheme } from './keys.ts';
import { Rounds } from './rounds-since.ts';
import { type MachineOptions, SimMachine } from './machine.ts';
import type { MachineObserver } from './observer.ts';
import { Scheduler } from './scheduler.ts';
import { remedyFor } from './stops.ts';
import { Trace } from './trace.ts';
import { Wires, type WiringPlan } from './wires.ts';
import { WITNESS } from './witness.ts';

/** What a run is made of. */
export interface SimulationOptions {
  readonly seed: number;
  readonly scheme: SignatureScheme;
  /** Power of each validator key at genesis. */
  readonly powers: readonly bigint[];
  readonly machines: readonly MachineOptions[];
  /** Default: everybody keeps connections to everybody. */
  readonly wiring?: Partial<WiringPlan>;
  /** Makes a line of the trace shorter for people. */
  readonly shown?: (line: string) => string;
  readonly accounts: number;
  /** What is special about the genesis. */
  readonly changeGenesis?: (genesis: GenesisDocument) => GenesisDocument;
  readonly config?: (config: NodeConfig) => NodeConfig;
  /** Blocks after which evidence is too old. */
  readonly evidenceBlocks?: bigint;
  /** Power is stake: who signs twice loses it. */
  readonly isStaked?: boolean;
  /** With stake: blocks of which who misses more than half is jailed. */
  readonly slashingWindow?: bigint;
  /** Modules of the state machine besides the program's own and the witness. */
  readonly modules?: readonly Module[];
  /** Default: no snapshots. */
  readonly snapshots?: StateSnapshotSettings;
  /** Keep every line of the trace. */
  readonly verbose: boolean;
}

/** Something that must not be. */
export interface Violation {
  readonly invariant: string;
  readonly sentence: string;
  readonly atMs: number;
}

/** See the file comment. */
export class Simulation implements MachineObserver {
  readonly scheduler: Scheduler;
  readonly wires: Wires;
  readonly machines: readonly SimMachine[];
  readonly genesis: GenesisDocument;
  /** Of every state machine, besides the program's own. */
  readonly modules: readonly Module[];
  readonly violations: Violation[] = [];
  readonly trace: Trace;
  readonly invariants: readonly Invariant[];
  /** Blocks by height, as the first node committed them. */
  readonly chain: Map<bigint, CommittedBlock> = new Map();
  roundMax = 0;
  /** Blocks that adversaries forged. */
  forgeries = 0;
  readonly rounds: Rounds = new Rounds();
  readonly #sequences: number[];
  readonly #hasAdversaries: boolean;

  constructor(options: SimulationOptions) {
    const { seed, scheme, powers, accounts, evidenceBlocks, isStaked = false, slashingWindow } = options;
    const { changeGenesis = (same) => same } = options;
    this.scheduler = new Scheduler(seed);
    this.trace = new Trace({ keepAll: options.verbose, ...(options.shown && { shown: options.shown }) });
    const names = options.machines.map(({ name }) => name);
    const everybody = (name: string): readonly string[] => names.filter((other) => other !== name);
    this.wires = new Wires(this.scheduler, { peersOf: everybody, ...options.wiring });
    const genesisMade = simulationGenesis({
      powers,
      accounts,
      scheme,
      evidenceBlocks,
      isStaked,
      slashingWindow,
    });
    this.genesis = changeGenesis(genesisMade);
    this.modules = [WITNESS, ...(options.modules ?? [])];
    this.#sequences = Array.from({ length: accounts }, () => 0);
    const config = options.config?.(simulationConfig()) ?? simulationConfig();
    const { scheduler, wires, genesis, chain, modules } = this;
    const { snapshots } = options;
    const machines = (): readonly SimMachine[] => this.machines;
    const world = { scheduler, wires, genesis, chain, modules, machines };
    const ports = { ...world, config, scheme, observer: this, snapshots };
    this.machines = options.machines.map((machine) => new SimMachine(ports, machine));
    this.#hasAdversaries = this.machines.some(({ isHonest }) => !isHonest);
    this.invariants = this.#makeInvariants(scheme);
    scheduler.onEvent = (atMs, owner, sequence) => this.trace.note(`${atMs} ${owner.name} ${sequence}`);
    scheduler.onError = (owner, error) => {
      if (owner.state !== 'dead') this.fail('no error escapes', `${owner.name}: ${stackOf(error)}`);
    };
  }

  get honest(): readonly SimMachine[] {
    return this.machines.filter(({ isHonest }) => isHonest);
  }

  /** Keys are written, nothing runs yet. */
  async init(): Promise<void> {
    for (const machine of this.machines) await machine.init();
  }

  /** The highest height that somebody committed. */
  get height(): bigint {
    return BigInt(this.chain.size);
  }

  fail(invariant: string, sentence: string): void {
    this.trace.line(this.scheduler.nowMs, '!!!!', `${invariant}: ${sentence}`);
    this.violations.push({ invariant, sentence, atMs: this.scheduler.nowMs });
  }

  /** Lets virtual time pass until this is true; false when it is not by then, or something is violated. */
  async runUntil(isDone: () => boolean, untilMs: number): Promise<boolean> {
    const { scheduler } = this;
    while (!isDone()) {
      if (this.violations.length > 0 || scheduler.nowMs >= untilMs) return false;
      if (!(await scheduler.step())) return false;
    }
    return true;
  }

  /** Asks the invariants about the whole. */
  async end(): Promise<void> {
    for (const invariant of this.invariants) await invariant.ended?.();
  }

  /** A client sends somebody money through some node. */
  sendTransfer(): void {
    const { random } = this.scheduler;
    const from = random.below(this.#sequences.length);
    const to = (from + 1 + random.below(Math.max(1, this.#sequences.length - 1))) % this.#sequences.length;
    const up = this.machines.filter(({ state, isHonest }) => state === 'up' && isHonest);
    const machine = random.pick(up);
    if (machine?.core === undefined) return;
    const sequence = this.#sequences[from] ?? 0;
    const tx = transfer({ from, to, sequence, amount: 1 + random.below(3) });
    machine.core.mempool.checkTx(tx).then(
      ({ code }) => {
        if (code === 0) this.#sequences[from] = sequence + 1;
        else if (random.percent(30)) this.#sequences[from] = Math.max(0, sequence - 1);
      },
      () => undefined, // it is known, or there is no room
    );
  }

  signed(machine: SimMachine, publicKey: Uint8Array, message: Uint8Array): void {
    const said = readSigned(message);
    if (said.round > this.roundMax) this.roundMax = said.round;
    if (machine.isHonest) this.rounds.signed(said);
    this.line(machine, `signs ${said.type} ${said.height}/${said.round} ${shortValue(said.value)}`);
    const fact = { ...said, subject: machine, key: toHex(publicKey) };
    for (const invariant of this.invariants) invariant.signed?.(fact);
  }

  given(machine: SimMachine, bytes: Uint8Array): void {
    if (!this.#hasAdversaries || !machine.isHonest) return;
    const message = decodeVoteMessage(bytes);
    if (message.kind !== 'vote') return;
    const { type, height, round, blockId, validatorAddress } = message.vote;
    const address = toHex(validatorAddress);
    const fact = { subject: machine, address, type, height, round, value: blockValue(blockId) };
    for (const invariant of this.invariants) invariant.voted?.(fact);
  }

  noticed(machine: SimMachine, vote: Vote): void {
    if (!machine.isHonest) return;
    const { type, height, round, validatorAddress } = vote;
    const view = machine.core?.engine.consensus()?.view();
    // What comes while the block of its height is being written may be lost with it.
    const isInTime = view?.height === height && view.decided === undefined;
    const keptFrom = isInTime ? height : (view?.height ?? height) + 1n;
    const fact = { subject: machine, address: toHex(validatorAddress), type, height, round, keptFrom };
    for (const invariant of this.invariants) invariant.noticed?.(fact);
  }

  forged(machine: SimMachine, value: string, what: string): void {
    this.forgeries++;
    this.line(machine, `forges ${shortValue(value)}: ${what}`);
    for (const invariant of this.invariants) invariant.forged?.({ by: machine, value, what });
  }

  committed(machine: SimMachine, committed: CommittedBlock): void {
    const { height, blockId, block } = committed;
    if (machine.isHonest && !this.chain.has(height)) this.chain.set(height, committed);
    this.line(machine, `COMMITS ${height} ${toHex(blockId.hash).slice(0, 6)} with ${block.txs.length} txs`);
    if (!machine.isHonest) return;
    for (const invariant of this.invariants) invariant.committed?.({ subject: machine, committed });
  }

  started(machine: SimMachine, height: bigint, appHash: Uint8Array): void {
    this.line(machine, `is up at height ${height}`);
    if (machine.mustRefuse !== undefined && machine.mustRefuse !== 'stale without blocks') {
      this.fail('signing state', `${machine.name} starts with a ${machine.mustRefuse} signing state`);
    }
    if (!machine.isHonest) return;
    const fact = { subject: machine, height, appHash: toHex(appHash) };
    for (const invariant of this.invariants) invariant.started?.(fact);
    machine.isEmptied = false;
  }

  blamed(machine: SimMachine, peer: string, blame: Blame): void {
    const subject = this.machines.find(({ name }) => name === peer);
    if (subject === undefined) return;
    for (const invariant of this.invariants) invariant.blamed?.({ by: machine, peer: subject, ...blame });
  }

  stopped(machine: SimMachine, what: string, error: unknown): void {
    const reason = messageOf(error);
    this.line(machine, `${what}: ${reason}`);
    const remedy = remedyFor(machine, error);
    if (remedy !== undefined) {
      this.scheduler.after(remedy.afterMs, remedy.act);
      return;
    }
    const { name, turned, mustRefuse } = machine;
    if (turned !== undefined) {
      this.fail('damage is named', `a bit of ${turned.path} has turned; ${name} says: ${reason}`);
    } else if (machine.isHonest) {
      const why = mustRefuse === undefined ? 'its disk is sound' : `its signing state is ${mustRefuse}`;
      this.fail('honest nodes run', `${name} ${what}, and ${why}: ${reason}`);
    }
  }

  line(machine: SimMachine, text: string): void {
    this.trace.line(this.scheduler.nowMs, machine.name, text);
  }

  /** A promise of some process was rejected, and nobody cared. */
  unhandled(error: unknown): void {
    if (error instanceof Killed || (error instanceof Error && error.cause instanceof Killed)) return;
    this.fail('no error escapes', stackOf(error));
  }

  #makeInvariants(scheme: SignatureScheme): readonly Invariant[] {
    const addressOf = ({ options }: SimMachine): string =>
      toHex(sha256(scheme.makeSigner(options.keySeed, 'ed25519').publicKey).subarray(0, 20));
    const addresses = new Set(this.honest.map(addressOf));
    const honestAddresses = (address: string): boolean => addresses.has(address);
    const failing = (make: (fail: (sentence: string) => void) => Invariant): Invariant => {
      const invariant: Invariant = make((sentence) => this.fail(invariant.name, sentence));
      return invariant;
    };
    return [
      failing(agreement),
      failing(doubleSign),
      failing(lockedValue),
      failing((fail) => validity(fail, { scheme, genesis: this.genesis })),
      failing(badBlocks),
      failing((fail) => blockTime(fail, () => this.honest)),
      failing(once),
      failing(blame),
      failing((fail) => evidence(fail, honestAddresses)),
      failing((fail) => punished(fail, this.genesis)),
      failing((fail) => replay(fail, this)),
      failing((fail) => restore(fail, this)),
      failing((fail) => undamaged(fail, this.machines)),
    ];
  }
}

function stackOf(error: unknown): string {
  return error instanceof Error
    ? (error.stack ?? error.message).split('\n').slice(0, 6).join(' | ')
    : messageOf(error);
}
