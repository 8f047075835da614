/** Where influence is computed: a port of the heads that are served. */
import type { Asker } from '../../serve/route.ts';
import { requireThere } from './asker.ts';
import type { PackedClaim } from './packed-claim.ts';
import { InfluenceWork, type WorkCard, type WorkQuestion } from './influence-work.ts';

/** What an engine has done, and has to do. */
export interface EngineCounts {
  /** Threads that can take something. */
  readonly workers: number;
  readonly running: number;
  readonly waiting: number;
  /** Since it was made: what was computed, in how many seconds, and threads that were started again. */
  readonly computed: number;
  readonly seconds: number;
  readonly restarts: number;
}

/** Computes what is asked of heads: `InfluenceWork`. */
export interface InfluenceEngine {
  /**
   * A claim about a query to a head that the engine has, as bytes.
   * @throws LedgerError `attest.busy` at once when too many wait, `attest.timeout` when its turn did not come,
   * `attest.worker` when what computed it ended, `attest.gone` when whoever asked left before its turn
   */
  ask(key: string, question: WorkQuestion, asker?: Asker): Promise<Uint8Array>;
  /**
   * Everything behind a claim on such a head; undefined when it was made in another way than here.
   * @throws LedgerError as `ask`
   */
  claim(statement: Uint8Array): Promise<PackedClaim | undefined>;
  readonly counts: EngineCounts;
}

/**
 * Computes on the thread of whoever asks: for programs that do nothing else meanwhile, and for tests.
 * Heads are made when the first question comes.
 */
export function engineHere(cards: readonly WorkCard[]): InfluenceEngine {
  let work: InfluenceWork | undefined;
  let computed = 0;
  let seconds = 0;
  const timed = <T>(task: (by: InfluenceWork) => T): T => {
    work ??= new InfluenceWork(cards);
    const begun = performance.now();
    const done = task(work);
    computed++;
    seconds += (performance.now() - begun) / 1000;
    return done;
  };
  return {
    ask: async (key, question, asker) => {
      requireThere(asker);
      return timed((by) => by.ask(key, question));
    },
    claim: async (statement) => timed((by) => by.claim(statement)),
    get counts() {
      return { workers: 0, running: 0, waiting: 0, computed, seconds, restarts: 0 };
    },
  };
}
