/** Runs the scenario of a seed and says what came of it. */
import type { SimMachine } from './machine.ts';
import { simulationConfig } from './chain.ts';
import type { Companion } from './companion.ts';
import { EvidenceOwed } from './evidence-owed.ts';
import { endAtOperation } from './kill-points.ts';
import { type AttackKind, LightForger } from './adversaries/light-forger.ts';
import { Nemesis } from './faults.ts';
import { Flood } from './flood.ts';
import { PATIENCE, type Patience, patienceMs } from './patience.ts';
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
  /** Ends of nodes at operations of their disks that were planned, and those that came. */
  readonly killPoints: { readonly planned: number; readonly reached: number };
  /** Absent: nothing was demanded. */
  readonly progress?: Progress;
  /** Attacks on light clients of which the evidence is in a block. */
  readonly attacks: readonly AttackKind[];
  /** The last lines of the trace. */
  readonly lines: readonly string[];
}

/** What it took after the heal until all that is demanded had come. */
export interface Progress {
  /** Rounds up to the heights that are demanded. */
  readonly rounds: number;
  /** Heights beyond those. */
  readonly heights: number;
  readonly ms: number;
}

/** How a run is made. */
export interface RunOptions {
  readonly profile: Profile;
  readonly seed: number;
  readonly verbose?: boolean;
  /** Changes the scenario: planted bugs. */
  readonly plant?: (scenario: Scenario) => Scenario;
}

/** More events than this are a loop that time does not pass in. */
const EVENTS_MAX = 5_000_000;
const STARTS_WITHIN_MS = 300;
const JOINS_WITHIN_MS = 1_000;
const RESTART_AFTER_MS = 300;
/** How much longer faults go on for a companion that waits for something. */
const HELD_BACK_MS_MAX = 6_000;
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
  let progress: Progress | undefined;
  let attacks: readonly AttackKind[] = [];
  const escaped = (error: unknown): void => simulation.unhandled(error);
  process.on('unhandledRejection', escaped);
  try {
    const forger = forgerOf(simulation, scenario);
    forger?.start();
    progress = await play(simulation, scenario, PATIENCE[run.profile]);
    forger?.ended();
    attacks = forger?.punished ?? [];
    await simulation.end();
  } finally {
    process.off('unhandledRejection', escaped);
  }
  return { ...resultOf(run, simulation), attacks, ...(progress === undefined ? {} : { progress }) };
}

function forgerOf(simulation: Simulation, { forgers, options }: Scenario): LightForger | undefined {
  if (forgers === undefined) return undefined;
  const { scheme } = options;
  return new LightForger(simulation, { scheme, keySeeds: forgers, everyMs: FORGED_EVERY_MS });
}

async function play(
  simulation: Simulation,
  scenario: Scenario,
  patience: Patience,
): Promise<Progress | undefined> {
  const { scheduler } = simulation;
  await simulation.init();
  const cast = castOf(simulation, scenario);
  for (const machine of cast.punctual) {
    scheduler.after(scheduler.random.below(STARTS_WITHIN_MS), () => machine.start());
  }
  const send = (): void => {
    simulation.sendTransfer();
    scheduler.after(scenario.transferEveryMs, send);
  };
  scheduler.after(scenario.transferEveryMs, send);
  const flood = scenario.flood === undefined ? undefined : new Flood(simulation, scenario.flood);
  flood?.start();
  const { killPoint } = scenario;
  const ending = killPoint === undefined ? [] : [endAtOperation(killPoint, RESTART_AFTER_MS)];
  const companions = [...ending, ...(scenario.companions ?? [])].map((make) => make(simulation));
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
  const isTooMuch = (): boolean => isLooping(simulation, scenario);
  const { healAtMs, lastsMs = 0 } = scenario;
  let progress: Progress | undefined;
  await simulation.runUntil(isTooMuch, healAtMs ?? lastsMs);
  if (healAtMs !== undefined && simulation.violations.length === 0) {
    const mayHeal = (): boolean => companions.every((companion) => companion.mayHeal?.() ?? true);
    await simulation.runUntil(() => mayHeal() || isTooMuch(), healAtMs + HELD_BACK_MS_MAX);
    nemesis.heal();
    // What did not happen among faults has the quiet to happen in.
    await simulation.runUntil(() => mayHeal() || isTooMuch(), scheduler.nowMs + HELD_BACK_MS_MAX);
    for (const companion of companions) companion.healed?.();
    progress = await demandProgress(simulation, { scenario, patience, flood, companions });
  }
  for (const companion of companions) companion.ended?.();
  return progress;
}

/** The run ends with this, whether progress is demanded of it or not. */
function isLooping(simulation: Simulation, { eventsMax = EVENTS_MAX }: Scenario): boolean {
  const { scheduler, violations } = simulation;
  if (scheduler.events <= eventsMax) return false;
  if (violations.length === 0)
    simulation.fail('time passes', `${scheduler.events} events by ${scheduler.nowMs.toFixed(1)} ms`);
  return true;
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

/** What has to come after the heal, and how soon. */
interface Demands {
  readonly scenario: Scenario;
  readonly patience: Patience;
  readonly flood: Flood | undefined;
  readonly companions: readonly Companion[];
}

/** Everybody honest gets on after the heal, those that start late included. */
async function demandProgress(
  simulation: Simulation,
  { scenario, patience, flood, companions }: Demands,
): Promise<Progress> {
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
  const isTooMuch = (): boolean =>
    isLooping(simulation, scenario) || simulation.height > goal + BigInt(patience.heightsMax);
  const untilMs = fromMs + waitMs(scenario, patience);
  if (late.length > 0) {
    const others = goal - scenario.heights + LATE_AFTER_HEIGHTS;
    await simulation.runUntil(() => simulation.height >= others || isTooMuch(), untilMs);
    for (const machine of late) join(machine, scenario);
  }
  await simulation.runUntil(() => isThere() || isTooMuch(), untilMs);
  const progress = {
    rounds: rounds(),
    heights: Number(simulation.height - goal),
    ms: scheduler.nowMs - fromMs,
  };
  if (progress.rounds > patience.roundsMax) {
    const most = `${patience.roundsMax} at most`;
    simulation.fail('liveness', `height ${goal} has taken ${progress.rounds} rounds after the heal, ${most}`);
  }
  if (simulation.violations.length > 0 || isThere()) return progress;
  for (const companion of companions) {
    if (!companion.isContent()) simulation.fail('liveness', companion.complaint());
  }
  if (nodes.every(({ height }) => height >= goal) && simulation.violations.length > 0) return progress;
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
  const since = `${Math.round(progress.ms)} ms after the heal, when the chain is at ${simulation.height}`;
  simulation.fail('liveness', `height ${goal} is not reached by all ${since}: ${where}`);
  return progress;
}

/** In virtual time. */
function waitMs({ patienceMs: own, options }: Scenario, patience: Patience): number {
  const usual = simulationConfig();
  return own ?? patienceMs(patience, options.config?.(usual) ?? usual);
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
  const again = (): void => {
    endOften(machine, times - 1);
    machine.start();
  };
  machine.killPoints.plan({
    at: machine.disk.operations + 1 + random.below(ENDED_WITHIN_OPERATIONS),
    how: random.percent(50) ? 'power cut' : 'process killed',
    onReached: () => machine.ports.scheduler.after(RESTART_AFTER_MS, again),
  });
}

function resultOf(
  { profile, seed, verbose }: RunOptions,
  simulation: Simulation,
): Omit<RunResult, 'attacks'> {
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
    killPoints: {
      planned: machines.reduce((sum, { killPoints }) => sum + killPoints.planned, 0),
      reached: machines.reduce((sum, { killPoints }) => sum + killPoints.reached, 0),
    },
    lines: trace.last(verbose === true ? Number.MAX_SAFE_INTEGER : 60),
  };
}
