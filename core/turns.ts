/** Whose turn it is: so many run at a time, so many wait, the others are turned away. */

/** Bounds of turns. */
export interface TurnLimits {
  readonly runningMax: number;
  readonly waitingMax: number;
}

/** A bounded queue before a bounded number of places, first come, first served. It starts nothing by itself. */
export class Turns {
  readonly #limits: TurnLimits;
  readonly #waiting: (() => void)[] = [];
  readonly #rejoining: (() => void)[] = [];
  #running = 0;

  constructor(limits: TurnLimits) {
    this.#limits = limits;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting.length + this.#rejoining.length;
  }

  /**
   * Calls `begin` now or when its turn comes. Who began has to `leave`.
   * @returns false when too many wait already: `begin` is not called
   */
  enter(begin: () => void): boolean {
    if (this.#running < this.#limits.runningMax) {
      this.#running++;
      begin();
      return true;
    }
    if (this.#waiting.length >= this.#limits.waitingMax) return false;
    this.#waiting.push(begin);
    return true;
  }

  /** Takes back what has not begun. @returns false when it waits no more, or never did */
  cancel(begin: () => void): boolean {
    const at = this.#waiting.indexOf(begin);
    if (at < 0) return false;
    this.#waiting.splice(at, 1);
    return true;
  }

  /** Calls `begin` now or at the next turn that there is: for one that left in between, which nobody turns away. */
  rejoin(begin: () => void): void {
    if (this.#running < this.#limits.runningMax) {
      this.#running++;
      begin();
    } else this.#rejoining.push(begin);
  }

  /** One that began is done. Its place is handed to the next one, so that nobody slips in before it. */
  leave(): void {
    const next = this.#rejoining.shift() ?? this.#waiting.shift();
    if (next === undefined) this.#running--;
    else next();
  }
}
