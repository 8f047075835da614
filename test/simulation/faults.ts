/**
 * What happens to machines and wires. Each seed allows itself some of the faults only (swarm testing): all of
 * them at once hide those that need quiet.
 */
import type { Ending } from './disk/disk.ts';
import type { SimMachine } from './machine.ts';
import type { Simulation } from './simulation.ts';
import { turnRecord } from './turned-records.ts';
import { FAIR_WEATHER } from './wires.ts';

/** Kinds of faults, by name. */
export const FAULTS = [
  'storm',
  'one way',
  'partition',
  'disconnect',
  'torn round',
  'kill',
  'power cut',
  'kill point',
  'pause',
  'clock jump',
  'slow disk',
  'slow application',
  'disk full',
  'lost signing state',
  'stale signing state',
  'bit flip',
] as const;

/** A kind of fault. */
export type Fault = (typeof FAULTS)[number];

/** A round in which somebody has voted nil takes about so long. */
const TORN_MS_MIN = 1_000;
const CLOCK_JUMP_MS_MAX = 300_000;
/** Operations on a disk until a kill point, at most: a node does about thirty for a height. */
const KILL_POINT_OPERATIONS_MAX = 60;

/** How long faults last, and how much time there is between two, at most. */
export interface FaultTimes {
  readonly maxMs: number;
  readonly betweenMsMax: number;
}

/** Many, and all are over soon. */
const SHORT: FaultTimes = { maxMs: 2_500, betweenMsMax: 700 };

/** What may go wrong, and for whom. */
export interface NemesisOptions {
  readonly menu: readonly Fault[];
  /** Machines that may be down at once: more than a third is fine for safety. */
  readonly victims: readonly SimMachine[];
  /** Default: they are over soon. */
  readonly times?: FaultTimes | undefined;
}

/** The bad luck of one run. */
export class Nemesis {
  readonly #simulation: Simulation;
  readonly #options: NemesisOptions;
  readonly #times: FaultTimes;
  #isOver = false;
  #cuts: (readonly [string, string])[] = [];

  constructor(simulation: Simulation, options: NemesisOptions) {
    this.#simulation = simulation;
    this.#options = options;
    this.#times = options.times ?? SHORT;
  }

  /** Faults from now on, until `heal`. */
  start(): void {
    if (this.#options.menu.length === 0) return;
    const { scheduler } = this.#simulation;
    const next = (): void => {
      if (this.#isOver) return;
      this.#strike();
      scheduler.after(50 + scheduler.random.below(this.#times.betweenMsMax), next);
    };
    scheduler.after(scheduler.random.below(this.#times.betweenMsMax), next);
  }

  /** No more faults; what is down comes back. */
  heal(): void {
    const { scheduler, wires, machines, trace } = this.#simulation;
    this.#isOver = true;
    trace.line(scheduler.nowMs, 'world', 'HEALS');
    for (const [a, b] of this.#cuts.splice(0)) wires.hub.heal(a, b);
    wires.heal();
    for (const machine of machines) {
      machine.killPoints.heal();
      machine.isDiskFull = false;
      machine.diskDelayMaxMs = 1;
      machine.applicationDelayMaxMs = 0;
      machine.resume();
      const isDown = machine.state !== 'up' && machine.state !== 'starting';
      if (isDown && this.#options.victims.includes(machine) && machine.starts > 0) machine.start();
    }
  }

  #strike(): void {
    const { scheduler } = this.#simulation;
    const fault = scheduler.random.pick(this.#options.menu);
    const machine = scheduler.random.pick(this.#options.victims);
    if (fault === undefined || machine === undefined) return;
    const lastsMs = 20 + scheduler.random.below(this.#times.maxMs);
    if (fault === 'storm') this.#storm(lastsMs);
    else if (fault === 'one way') this.#oneWay(lastsMs);
    else if (fault === 'partition') this.#partition(lastsMs);
    else if (fault === 'disconnect') this.#disconnect();
    else if (fault === 'torn round') this.#tearRound(lastsMs);
    else this.#hit(fault, machine, lastsMs);
  }

  #hit(fault: Fault, machine: SimMachine, lastsMs: number): void {
    const { scheduler } = this.#simulation;
    const { random } = scheduler;
    switch (fault) {
      case 'kill':
        this.#kill(machine, 'process killed', lastsMs);
        return;
      case 'power cut':
        this.#kill(machine, 'power cut', lastsMs);
        return;
      case 'kill point':
        machine.killPoints.setByChance({
          at: machine.disk.operations + 1 + random.below(KILL_POINT_OPERATIONS_MAX),
          how: random.percent(50) ? 'power cut' : 'process killed',
          onReached: () => this.#comeBack(machine, random.below(lastsMs)),
        });
        return;
      case 'lost signing state':
        machine.spoilSigningState('lost');
        return;
      case 'stale signing state':
        machine.spoilSigningState('stale');
        return;
      case 'bit flip':
        // At one machine only: what a repair has taken may be a lock.
        this.#turnBit(this.#simulation.machines[0]);
        return;
      case 'pause':
        machine.pause();
        this.#later(lastsMs, () => machine.resume());
        return;
      case 'clock jump':
        machine.clockOffsetMs = random.below(2 * CLOCK_JUMP_MS_MAX) - CLOCK_JUMP_MS_MAX;
        this.#say(`the clock of ${machine.name} jumps to ${machine.clockOffsetMs} ms`);
        return;
      case 'slow disk':
        machine.diskDelayMaxMs = 300;
        this.#later(lastsMs, () => {
          machine.diskDelayMaxMs = 1;
        });
        return;
      case 'slow application':
        machine.applicationDelayMaxMs = 500;
        this.#say(`the application of ${machine.name} is slow`);
        this.#later(lastsMs, () => {
          machine.applicationDelayMaxMs = 0;
        });
        return;
      case 'disk full':
        this.#fill(machine, lastsMs);
        return;
      default:
    }
  }

  #kill(machine: SimMachine, how: Ending, downMs: number): void {
    if (machine.state === 'down') return;
    machine.kill(how);
    this.#comeBack(machine, downMs);
  }

  #comeBack(machine: SimMachine, downMs: number): void {
    this.#later(downMs, () => {
      if (machine.state === 'down' || machine.state === 'refused') machine.start();
    });
  }

  #turnBit(machine: SimMachine | undefined): void {
    if (machine === undefined) return;
    if (this.#simulation.scheduler.random.percent(50)) turnRecord(machine);
    else machine.flipBit();
  }

  #fill(machine: SimMachine, lastsMs: number): void {
    machine.isDiskFull = true;
    this.#say(`the disk of ${machine.name} is full`);
    this.#later(lastsMs, () => {
      machine.isDiskFull = false;
      if (machine.state === 'refused' || machine.state === 'down') machine.start();
    });
  }

  #storm(lastsMs: number): void {
    const { scheduler, wires } = this.#simulation;
    const { random } = scheduler;
    wires.weather = {
      latencyMinMs: 1,
      latencyMaxMs: random.percent(50) ? 30 : 400,
      lostPercent: random.below(40),
      doubledPercent: random.below(20),
      overtakenPercent: random.below(40),
    };
    this.#say('a storm begins');
    this.#later(lastsMs, () => {
      wires.weather = FAIR_WEATHER;
    });
  }

  #oneWay(lastsMs: number): void {
    const { scheduler, wires, machines } = this.#simulation;
    const [from, to] = [scheduler.random.pick(machines), scheduler.random.pick(machines)];
    if (from === undefined || to === undefined || from === to) return;
    this.#say(`nothing gets from ${from.name} to ${to.name}`);
    wires.block(from.name, to.name, lastsMs);
  }

  #partition(lastsMs: number): void {
    const { scheduler, wires, machines } = this.#simulation;
    const side = new Set(machines.filter(() => scheduler.random.percent(50)).map(({ name }) => name));
    const cuts: (readonly [string, string])[] = [];
    for (const { name: a } of machines) {
      for (const { name: b } of machines) if (a < b && side.has(a) !== side.has(b)) cuts.push([a, b]);
    }
    this.#say(`${[...side].join(', ')} are cut off from the others`);
    for (const [a, b] of cuts) wires.hub.cut(a, b);
    this.#cuts.push(...cuts);
    this.#later(lastsMs, () => {
      for (const [a, b] of cuts) wires.hub.heal(a, b);
    });
  }

  /**
   * One is not shown the proposal and votes nil; of the others some see two thirds for the block and lock it,
   * or decide, and some do not and go on to the next round without.
   */
  #tearRound(lastsMs: number): void {
    const { scheduler, wires, machines } = this.#simulation;
    const { random } = scheduler;
    const proposalsLostTo = random.pick(machines)?.name ?? '';
    const votesLostTo = new Set(machines.filter(() => random.percent(50)).map(({ name }) => name));
    const type = random.percent(70) ? 'prevote' : 'precommit';
    const validatorIndex = random.below(machines.length);
    const some = [...votesLostTo].join(', ');
    this.#say(`${proposalsLostTo} is shown no proposals, ${some} no ${type}s of validator ${validatorIndex}`);
    this.#later(TORN_MS_MIN + lastsMs, wires.tear({ type, validatorIndex, votesLostTo, proposalsLostTo }));
  }

  #disconnect(): void {
    const { scheduler, wires, machines } = this.#simulation;
    const [a, b] = [scheduler.random.pick(machines), scheduler.random.pick(machines)];
    if (a === undefined || b === undefined || a === b) return;
    this.#say(`${a.name} and ${b.name} lose their connection`);
    wires.disconnect(a.name, b.name);
  }

  /** Ends a fault, unless the heal has ended all of them. */
  #later(delayMs: number, end: () => void): void {
    this.#simulation.scheduler.after(delayMs, () => {
      if (!this.#isOver) end();
    });
  }

  #say(text: string): void {
    const { scheduler, trace } = this.#simulation;
    trace.line(scheduler.nowMs, 'world', text);
  }
}
