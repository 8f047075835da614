import { expect, test } from 'vitest';
import { KillPoints } from './kill-points.ts';
import { scenarioOf } from './profiles.ts';

const SEEDS = 680;

test('the seeds of `crash` end the first node at each operation of its first ten heights, in both ways', () => {
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
