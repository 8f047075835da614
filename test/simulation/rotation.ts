/** Full nodes that come and go all the time, each with its disk; the first time it is empty. */
import type { Companion } from './companion.ts';
import type { SimMachine } from './machine.ts';
import type { Simulation } from './simulation.ts';

const TURN_MS_MIN = 100;
const TURN_MS_MAX = 800;
const LEFT_AFTER_HEAL = 6;

/** See the file comment. */
export class Rotation implements Companion {
  /** Those who left after the heal: each had caught up with what there was when it came. */
  #left = 0;
  readonly #simulation: Simulation;
  readonly #machines: readonly SimMachine[];
  /** The height of the chain when they came. */
  readonly #cameAt: Map<string, bigint> = new Map();
  #isHealed = false;

  constructor(simulation: Simulation, names: readonly string[]) {
    this.#simulation = simulation;
    this.#machines = simulation.machines.filter(({ name }) => names.includes(name));
  }

  start(): void {
    const { scheduler } = this.#simulation;
    const turn = (): void => {
      this.#turn();
      scheduler.after(TURN_MS_MIN + scheduler.random.below(TURN_MS_MAX), turn);
    };
    scheduler.after(TURN_MS_MIN, turn);
  }

  /** From now on nobody goes before it has caught up. */
  healed(): void {
    this.#isHealed = true;
    for (const { name } of this.#machines) this.#cameAt.set(name, this.#simulation.height);
  }

  /** Enough have come and gone, and those who are there have caught up. */
  isContent(): boolean {
    return this.#left >= LEFT_AFTER_HEAL && this.#machines.every((machine) => this.#mayGo(machine));
  }

  complaint(): string {
    const behind = this.#machines.filter((machine) => !this.#mayGo(machine)).map(({ name }) => name);
    return `${this.#left} full nodes caught up and left; behind are ${behind.join(', ')}`;
  }

  #turn(): void {
    const { scheduler, height } = this.#simulation;
    const machine = scheduler.random.pick(this.#machines);
    if (machine === undefined) return;
    if (machine.state === 'down' || machine.state === 'refused') {
      if (this.#isHealed && this.#left >= LEFT_AFTER_HEAL) return;
      this.#cameAt.set(machine.name, height);
      machine.start();
    } else if (!this.#isHealed || (machine.state === 'up' && this.#mayGo(machine))) {
      if (this.#isHealed) this.#left++;
      machine.kill(scheduler.random.percent(50) ? 'power cut' : 'process killed');
    }
  }

  #mayGo({ name, state, height }: SimMachine): boolean {
    return state === 'down' || height >= (this.#cameAt.get(name) ?? 0n);
  }
}
