/**
 * Cores against each other: agreement, validity, one word per step, evidence against the guilty only, and
 * progress after healing, over many seeds. A failing seed runs again with `SIMULATION_SEED=<seed>`;
 * `SIMULATION_SEEDS=<count>` runs more.
 */
import { describe, expect, it } from 'vitest';
import { PAPER_LINES, type PaperLine } from '../round/lines.ts';
import { Network, type SimulationResult } from './network.ts';
import { scenarioOf } from './scenarios.ts';

const SEEDS = Number(process.env['SIMULATION_SEEDS'] ?? 400);
const ONLY = process.env['SIMULATION_SEED'];

function run(seed: number): SimulationResult {
  return new Network(scenarioOf(seed)).run();
}

describe('simulated consensus', () => {
  it(`agrees and goes on after healing, over ${ONLY ?? SEEDS} seeds`, () => {
    const seeds = ONLY === undefined ? Array.from({ length: SEEDS }, (_, seed) => seed) : [Number(ONLY)];
    const lines = new Set<PaperLine>();
    let evidence = 0;
    let roundMax = 0;
    for (const seed of seeds) {
      const result = run(seed);
      expect(result.violations, `replay with SIMULATION_SEED=${seed}`).toEqual([]);
      for (const line of result.lines) lines.add(line);
      evidence += result.evidence;
      roundMax = Math.max(roundMax, result.roundMax);
    }
    if (ONLY !== undefined) return;
    // The runs are not all sunshine: equivocation is seen, rounds fail, nearly every line is reached.
    expect(evidence).toBeGreaterThan(SEEDS);
    expect(roundMax).toBeGreaterThanOrEqual(3);
    const expected = (Object.keys(PAPER_LINES) as PaperLine[]).filter((line) => line !== 'L32');
    expect(expected.filter((line) => !lines.has(line))).toEqual([]);
  }, 120_000);

  it('does the same in a calm network without faults, in round 0', () => {
    const result = new Network({
      seed: 1,
      nodes: 4,
      byzantine: 0,
      down: 0,
      restarts: false,
      lossPercent: 0,
      healMs: 0,
      targetHeight: 20n,
    }).run();
    expect(result).toMatchObject({ violations: [], evidence: 0, roundMax: 0 });
  });

  it('repeats a seed exactly', () => {
    const first = run(7);
    const second = run(7);
    expect({ ...second, lines: [...second.lines] }).toEqual({ ...first, lines: [...first.lines] });
    expect(run(11).events).not.toBe(first.events);
  });
});
