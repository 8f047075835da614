import { expect, test } from 'vitest';
import { KillPoints } from './kill-points.ts';
import type { Companion } from './companion.ts';
import { KILL_POINTS, type Scenario, scenarioOf } from './profiles.ts';
import { runSeed } from './run.ts';
import type { Simulation } from './simulation.ts';

const SEEDS = 680;
const HEIGHTS = 9n;
/** Of 1 to 12 the one in which it does most. */
const BUSIEST_SEED = 1;

test('the seeds of `crash` end the first node at each of its first operations, in both ways', () => {
  const points = new Set<string>();
  const at = new Set<number>();
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { killPoint } = scenarioOf('crash', seed);
    if (killPoint === undefined) continue;
    points.add(`${killPoint.how} ${killPoint.at}`);
    at.add(killPoint.at);
  }
  expect(points.size).toBe(SEEDS);
  expect([Math.min(...at), Math.max(...at)]).toEqual([1, SEEDS / 2]);
});

test('a node does no more operations in its first nine heights than there are kill points', async () => {
  let operations = 0;
  const counting = ({ machines: [first] }: Simulation): Companion => {
    if (first === undefined) throw new RangeError('no machine');
    const before = first.disk.operations;
    // It is asked before every event, and the run ends with the last height.
    const isThere = (): boolean => {
      const done = first.disk.operations - before;
      if (first.height >= HEIGHTS && operations === 0) operations = done;
      return operations > 0;
    };
    return { start: () => undefined, mayHeal: isThere, isContent: isThere, complaint: () => 'too slow' };
  };
  const plant = ({ killPoint, ...scenario }: Scenario): Scenario => ({
    ...scenario,
    faults: [],
    companions: [counting],
    healAtMs: 0,
    heights: 0n,
  });
  expect((await runSeed({ profile: 'crash', seed: BUSIEST_SEED, plant })).violations).toEqual([]);
  expect(operations).toBeGreaterThan(KILL_POINTS - 40);
  expect(operations).toBeLessThanOrEqual(KILL_POINTS);
});

test('neither the heal nor a kill point by chance takes the place of the one that is planned', () => {
  const points = new KillPoints();
  const seen: string[] = [];
  const point = (name: string, at: number) => ({
    at,
    how: 'power cut' as const,
    onReached: () => void seen.push(name),
  });
  points.plan(point('planned', 10));
  points.setByChance(point('by chance', 5));
  points.heal();
  expect(points.take(7)).toBeUndefined();
  points.setByChance(point('by chance', 9));
  for (let operations = 8; operations < 12; operations++) points.take(operations)?.onReached();
  expect(seen).toEqual(['by chance', 'planned']);
  expect([points.planned, points.reached]).toEqual([1, 1]);
  expect(points.take(99)).toBeUndefined();
  points.plan(point('planned', 100));
  expect(() => points.plan(point('planned', 200))).toThrow('operation 100 is planned already');
});
