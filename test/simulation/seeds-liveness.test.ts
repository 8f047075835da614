import { expect, test } from 'vitest';
import { expectSeeds } from './seeds.ts';

const LIMIT_MS = 900_000;

test('all go on after the faults', () => expectSeeds('liveness', 1, 50), LIMIT_MS);
test('less than a third of adversaries stop nobody', () => expectSeeds('byzantine', 1, 17), LIMIT_MS);
test('late nodes begin with a snapshot among liars', () => expectSeeds('statesync', 1, 4), LIMIT_MS);
test('a client gets in among floods', () => expectSeeds('flood', 1, 12), LIMIT_MS);
test('late nodes catch up behind pruned blocks', () => expectSeeds('pruning', 1, 14), LIMIT_MS);
test('nodes find each other among liars', () => expectSeeds('discovery', 1, 5), LIMIT_MS);
test('RPC keeps to its limits and its word', () => expectSeeds('rpcflood', 1, 5), LIMIT_MS);
test('late nodes catch up among liars', () => expectSeeds('sync', 1, 6), LIMIT_MS);
test('all go on after faults that outlast every request', () => expectSeeds('long', 1, 2), LIMIT_MS);
test('nobody takes bad blocks', () => expectSeeds('badblocks', 1, 2), LIMIT_MS);
test('a third of the power is never there', () => expectSeeds('absent', 1, 12), LIMIT_MS);
test('full nodes come and go, and catch up', () => expectSeeds('rotating', 1, 1), LIMIT_MS);

test(
  'blocks forged for light clients are punished: states that never were, and blocks signed twice',
  async () => {
    const results = await expectSeeds('lightattack', 1, 5);
    // A change of the node changes every trace. When no evidence of one kind gets into blocks in these seeds any
    // more, and all else holds: `npm run sim -- --profile lightattack --seeds 50` says in how many seeds each does.
    // Where each still does, take more seeds here; where one does in none, that is a fault.
    const attacks = new Set(results.flatMap((result) => result.attacks));
    expect([...attacks].toSorted()).toEqual(['amnesia', 'equivocation', 'lunatic']);
  },
  LIMIT_MS,
);
