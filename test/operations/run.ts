import { toHex } from '../../core/bytes.ts';
import type { Coverage } from './coverage.ts';
import { Simulation, type SimulationOptions, type Violation } from './simulation.ts';

/** What became of a seed. */
export interface RunResult {
  readonly seed: number;
  readonly blocks: number;
  readonly height: bigint;
  readonly transactions: number;
  readonly imports: number;
  readonly violations: readonly Violation[];
  /** The last blocks. */
  readonly lines: readonly string[];
  readonly coverage: Coverage;
  /** Over all app hashes. */
  readonly digest: string;
}

/** Runs one seed until it is over or something is wrong. */
export async function runSeed(options: SimulationOptions): Promise<RunResult> {
  const simulation = await Simulation.begin(options);
  await simulation.run();
  const { height, transactions, imports, violations, trace, coverage, digest } = simulation;
  const { seed, blocks } = options;
  const { lines } = trace;
  return {
    ...{ seed, blocks, height, transactions, imports, violations, lines, coverage },
    digest: toHex(digest),
  };
}

/** For a person: the last blocks, what was wrong, and the command that replays it. */
export function reportOf({ seed, blocks, violations, lines, digest }: RunResult): string {
  return [
    ...lines,
    ...violations.map(
      ({ height, invariant, sentence }) => `FAILED after block ${height}: ${invariant}: ${sentence}`,
    ),
    `seed ${seed}, app hashes ${digest}; replay: npm run sim:app -- --from ${seed} --seeds 1 --blocks ${blocks} --verbose`,
  ].join('\n');
}
