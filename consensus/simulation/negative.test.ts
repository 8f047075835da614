/**
 * The simulation must notice what it is there to notice: each planted bug is caught within a bounded number
 * of seeds.
 */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Network, type SimulationOptions } from './network.ts';
import { scenarioOf } from './scenarios.ts';

const planted = vi.hoisted(() => ({ bug: 'none' }));

vi.mock('../round/machine.ts', async (original) => {
  const real = await original<typeof import('../round/machine.ts')>();
  return {
    ...real,
    transition: (...[state, input]: Parameters<typeof real.transition>) => {
      const forgets = planted.bug === 'no locking';
      return real.transition(forgets ? { ...state, locked: undefined, valid: undefined } : state, input);
    },
  };
});

vi.mock('../types/validator-set.ts', async (original) => {
  const real = await original<typeof import('../types/validator-set.ts')>();
  return {
    ...real,
    isTwoThirds: (...[set, power]: Parameters<typeof real.isTwoThirds>) =>
      planted.bug === 'majority is enough' ? power * 2n > set.totalVotingPower : real.isTwoThirds(set, power),
  };
});

/** What the first bad one of many seeds complains of; undefined when all are good. */
function firstViolation(seeds: number, change: Partial<SimulationOptions> = {}): string | undefined {
  for (let seed = 0; seed < seeds; seed++) {
    const [violation] = new Network({ ...scenarioOf(seed), ...change }).run().violations;
    if (violation !== undefined) return violation;
  }
  return undefined;
}

describe('planted bugs', () => {
  afterEach(() => {
    planted.bug = 'none';
  });

  it('without any, these seeds are good', () => {
    expect(firstViolation(40)).toBeUndefined();
  });

  it('a node that does not keep its lock lets the network disagree', () => {
    planted.bug = 'no locking';
    expect(firstViolation(2000, { targetHeight: 8n })).toMatch(
      /decided .* others did not|signed twice|fault/,
    );
  }, 120_000);

  it('a simple majority in place of two thirds lets the network disagree', () => {
    planted.bug = 'majority is enough';
    const five = { nodes: 5, byzantine: 1, down: 0, targetHeight: 8n };
    expect(firstViolation(1000, five)).toMatch(/decided|fault/);
  }, 60_000);

  it('a node that comes back without its log contradicts itself', () => {
    expect(firstViolation(200, { without: 'log' })).toMatch(/signed twice|who is honest/);
  }, 60_000);

  it('gossip by one vote per validator lets an equivocator stop the network', () => {
    expect(firstViolation(100, { without: 'votes of majorities' })).toMatch(/not live/);
  }, 60_000);
});
