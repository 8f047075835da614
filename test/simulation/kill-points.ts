/** Operations of a disk at which its machine ends. */
import type { MakeCompanion } from './companion.ts';
import type { Ending } from './disk/disk.ts';

/** One of them. */
export interface KillPoint {
  /** Operations of the disk since it was made: the machine ends before this one takes effect. */
  readonly at: number;
  readonly how: Ending;
  /** What comes next: a start, most of the time. */
  readonly onReached: () => void;
}

/**
 * Those of one machine: one by chance, in whose place another may come and which the heal takes away; and one
 * that the scenario has planned, which stays until it is reached.
 */
export class KillPoints {
  /** How many were planned, and how many of these were reached. */
  planned = 0;
  reached = 0;
  #byChance: KillPoint | undefined;
  #planned: KillPoint | undefined;

  setByChance(point: KillPoint): void {
    this.#byChance = point;
  }

  /** @throws RangeError when another is planned and not reached yet */
  plan(point: KillPoint): void {
    if (this.#planned !== undefined) throw new RangeError(`operation ${this.#planned.at} is planned already`);
    this.#planned = point;
    this.planned++;
  }

  /** Nothing happens by chance any more. */
  heal(): void {
    this.#byChance = undefined;
  }

  /** The one that is reached with so many operations; it is none any more. */
  take(operations: number): KillPoint | undefined {
    const planned = this.#planned;
    if (planned !== undefined && operations >= planned.at) {
      this.#planned = undefined;
      this.reached++;
      return planned;
    }
    const byChance = this.#byChance;
    if (byChance === undefined || operations < byChance.at) return undefined;
    this.#byChance = undefined;
    return byChance;
  }
}

/** Ends the first machine at one operation of its disk: no heal before that, and no end of the run. */
export function endAtOperation(
  { at, how }: Pick<KillPoint, 'at' | 'how'>,
  restartAfterMs: number,
): MakeCompanion {
  return ({ machines, scheduler }) => {
    const [first] = machines;
    if (first === undefined) throw new RangeError('there is no machine');
    const { killPoints, disk } = first;
    const isReached = (): boolean => killPoints.reached > 0;
    const onReached = (): void => void scheduler.after(restartAfterMs, () => first.start());
    const from = disk.operations;
    return {
      start: () => killPoints.plan({ at: from + at, how, onReached }),
      mayHeal: isReached,
      isContent: isReached,
      complaint: () =>
        `${first.name} does not reach its kill point, operation ${at} of its disk: it has done ${disk.operations - from}`,
    };
  };
}
