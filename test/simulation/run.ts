/** Runs the scenario of a seed and says what came of it. */
import type { SimMachine } from './machine.ts';
import type { Companion } from './companion.ts';
import { EvidenceOwed } from './evidence-owed.ts';
import { LightForger } from './adversaries/light-forger.ts';
import { Nemesis } from './faults.ts';
import { Flood } from './flood.ts';
import { type Profile, type Scenario, scenarioOf } from './profiles.ts';
import { Simulation, type Violation } from './simulation.ts';

/** What came of a run. */
export interface RunResult {
  readonly profile: Profile;
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly digest: string;
  readonly events: number;
  readonly virtualMs: number;
  readonly heights: bigint;
  readonly roundMax: number;
  readonly messages: number;
  readonly bytes: number;
  readonly transactions: number;
  readonly starts: number;
  /** Nodes that began with a snapshot of others. */
  readonly restored: number;
  /** The last lines of the trace. */
  readonly lines: readonly string[];
}

/** How a run is made. */
export interface RunOptions {
  readonly profile: Profile;
  readonly seed: number;
  readonly verbose?: boolean;
  /** Changes the scenario: planted bugs. */
  readonly plant?: (scenario: Scenario) => Scenario;
}

/** More than this is a loop that time does not pass in. */
const EVENTS_MAX = 5_000_000;
const STARTS_WITHIN_MS = 300;
const JOINS_WITHIN_MS = 1_000;
const RESTART_AFTER_MS = 300;
const LATE_AFTER_HEIGHTS = 2n;
/** Transactions that a client gets into blocks after the heal while others flood. */
const FLOODED_ARRIVALS = 3;
/** A state sync does about so many operations on its disk. */
const ENDED_WITHIN_OPERATIONS = 120;
const FORGED_EVERY_MS = 250;

/** See the file comment. */
export async function runSeed(run: RunOptions): Promise<RunResult> {
  const made = scenarioOf(run.profile, run.seed);
  const scenario = run.plant?.(made) ?? made;
  const simulation = new Simulation({
    ...scenario.options,
    seed: run.seed,
    verbose: run.verbose === true,
  });
  const escaped = (error: unknown): void => simulation.unhandled(error);
  process.on('unhandledRejection', escaped);
  try {
    const forger = forgerOf(simulation, scenario);
    forger?.start();
    await play(simulation, scenario);
    forger?.ended();
    await simulation.end();
  } finally {
    process.off('unhandledRejection', escaped);
  }
  return resultOf(run, simulation);
}

function forgerOf(simulation: Simulation, { forgers, options }: Scenario): LightForger | undefined {
  if (forgers === undefined) return undefined;
  const { scheme } = options;
  return new LightForger(simulation, { scheme, keySeeds: forgers, everyMs: FORGED_EVERY_MS });
}

async function play(simulation: Simulation, scenario: Scenario): Promise<void> {
  const { scheduler, machines } = simulation;
  await simulation.init();
  const cast = castOf(simulation, scenario);
  for (const machine of cast.punctual) {
    scheduler.after(scheduler.random.below(STARTS_WITHIN_MS), () => machine.start());
  }
  const [first] = machines;
  if (first !== undefined && scenario.killPoint !== undefined) {
    const { at, how } = scenario.killPoint;
    first.killAtOperation = { at: first.disk.operations + at, how };
    first.onKillPoint = () => scheduler.after(RESTART_AFTER_MS, () => first.start());
  }
  const send = (): void => {
    simulation.sendTransfer();
    scheduler.after(scenario.transferEveryMs, send);
  };
  scheduler.after(scenario.transferEveryMs, send);
  const flood = scenario.flood === undefined ? undefined : new Flood(simulation, scenario.flood);
  flood?.start();
  const companions = (scenario.companions ?? []).map((make) => make(simulation));
  for (const companion of companions) companion.start();
  const { faults: menu, faultsLast: times, lateFromMs } = scenario;
  const joining = lateFromMs === undefined ? [] : cast.late;
  const isVictim = ({ name }: SimMachine): boolean => scenario.victims?.includes(name) ?? true;
  const victims = [...cast.punctual.filter(isVictim), ...joining];
  const nemesis = new Nemesis(simulation, { menu, victims, times });
  nemesis.start();
  for (const machine of joining)
    scheduler.after((lateFromMs ?? 0) + scheduler.random.below(JOINS_WITHIN_MS), () =>
      join(machine, scenario),
    );
  const isTooMuch = (): boolean => scheduler.events > EVENTS_MAX;
  await simulation.runUntil(isTooMuch, scenario.healAtMs ?? scenario.patienceMs);
  if (scenario.healAtMs !== undefined && simulation.violations.length === 0) {
    nemesis.heal();
    for (const companion of companions) companion.healed?.();
    await demandProgress(simulation, scenario, { flood, companions });
  }
  for (const companion of companions) companion.ended?.();
}

/** Who is there when. */
interface Cast {
  readonly punctual: readonly SimMachine[];
  readonly late: readonly SimMachine[];
}

function castOf({ machines }: Simulation, scenario: Scenario): Cast {
  const { late = [], absent = [] } = scenario;
  const isLate = ({ name }: SimMachine): boolean => late.includes(name);
  const isAbsent = ({ name }: SimMachine): boolean => absent.includes(name);
  return {
    punctual: machines.filter((machine) => !isLate(machine) && !isAbsent(machine)),
    late: machines.filter(isLate),
  };
}

/** A machine that is late starts for the first time. */
function join(machine: SimMachine, { lateEndings }: Scenario): void {
  if (machine.starts > 0) return;
  endOften(machine, lateEndings ?? 0);
  machine.start();
}

/** Everybody honest gets on after the heal, those that start late included. */
async function demandProgress(
  simulation: Simulation,
  scenario: Scenario,
  { flood, companions }: { readonly flood: Flood | undefined; readonly companions: readonly Companion[] },
): Promise<void> {
  const { scheduler } = simulation;
  const { late } = castOf(simulation, scenario);
  const fromMs = scheduler.nowMs;
  const goal = simulation.height + scenario.heights;
  const arrivals = (flood?.arrived ?? 0) + FLOODED_ARRIVALS;
  const owed = new EvidenceOwed(simulation, goal);
  const rounds = simulation.rounds.countUpTo(goal);
  const nodes = simulation.honest.filter(({ name }) => scenario.bystanders?.includes(name) !== true);
  const isThere = (): boolean =>
    owed.isPaid() &&
    nodes.every((node) => node.height >= goal || isLeftBehind(node, nodes)) &&
    companions.every((companion) => companion.isContent()) &&
    (flood === undefined || flood.arrived >= arrivals);
  const isTooMuch = (): boolean => scheduler.events > EVENTS_MAX;
  if (late.length > 0) {
    const others = goal - scenario.heights + LATE_AFTER_HEIGHTS;
    await simulation.runUntil(() => simulation.height >= others || isTooMuch(), fromMs + scenario.patienceMs);
    for (const machine of late) join(machine, scenario);
  }
  await simulation.runUntil(() => isThere() || isTooMuch(), fromMs + scenario.patienceMs);
  const { roundsMax = Number.MAX_SAFE_INTEGER } = scenario;
  if (rounds() > roundsMax) {
    simulation.fail(
      'liveness',
      `height ${goal} has taken ${rounds()} rounds after the heal, not ${roundsMax}`,
    );
  }
  if (simulation.violations.length > 0 || isThere()) return;
  for (const companion of companions) {
    if (!companion.isContent()) simulation.fail('liveness', companion.complaint());
  }
  if (nodes.every(({ height }) => height >= goal) && simulation.violations.length > 0) return;
  const where = simulation.honest
    .map(({ name, height, state }) => `${name} ${state} at ${height}`)
    .join(', ');
  if (flood !== undefined && flood.arrived < arrivals) {
    const answers = [...flood.answers].map(([answer, times]) => `${times} ${answer}`).join(', ');
    simulation.fail(
      'nobody is starved',
      `a client has ${flood.arrived} transactions in blocks, not ${arrivals}: ${answers}`,
    );
  }
  const sinceMs = Math.round(scheduler.nowMs - fromMs);
  simulation.fail('liveness', `height ${goal} is not reached by all ${sinceMs} ms after the heal: ${where}`);
}

/** Every node that is further has pruned the block that a node needs next: only an operator can help it. */
function isLeftBehind(node: SimMachine, nodes: readonly SimMachine[]): boolean {
  const bases = nodes.flatMap((other) =>
    other.height <= node.height || other.core === undefined ? [] : [other.core.stores.blocks.range().base],
  );
  return bases.length > 0 && bases.every((base) => base > node.height + 1n);
}

/** Ends a machine that many times, each time at some operation of its disk, and starts it again. */
function endOften(machine: SimMachine, times: number): void {
  if (times === 0) return;
  const { random } = machine.ports.scheduler;
  machine.killAtOperation = {
    at: machine.disk.operations + 1 + random.below(ENDED_WITHIN_OPERATIONS),
    how: random.percent(50) ? 'power cut' : 'process killed',
  };
  machine.onKillPoint = () => {
    machine.ports.scheduler.after(RESTART_AFTER_MS, () => {
      endOften(machine, times - 1);
      machine.start();
    });
  };
}

function resultOf({ profile, seed, verbose }: RunOptions, simulation: Simulation): RunResult {
  const { scheduler, wires, trace, chain, machines } = simulation;
  return {
    profile,
    seed,
    violations: simulation.violations,
    digest: trace.digest(),
    events: scheduler.events,
    virtualMs: scheduler.nowMs,
    heights: simulation.height,
    roundMax: simulation.roundMax,
    messages: wires.messages,
    bytes: wires.bytes,
    transactions: [...chain.values()].reduce((sum, { block }) => sum + block.txs.length, 0),
    starts: machines.reduce((sum, machine) => sum + machine.starts, 0),
    restored: machines.filter(({ isRestored }) => isRestored).length,
    lines: trace.last(verbose === true ? Number.MAX_SAFE_INTEGER : 60),
  };
}
