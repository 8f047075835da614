import { expect, test } from 'vitest';
import { randomFrom } from '../../test/attribution/fidelity/digits.ts';
import { EpochOpening } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import { verifyRun } from '../../modules/settlement/proof/piece.ts';
import { Dice } from '../../test/settlement/epochs/dice.ts';
import { makeWorld } from '../../test/settlement/epochs/world.ts';
import { openRun } from './published.ts';
import { answerBytesMax, epochPath, type EpochRoute, parseEpochPath, TREE_KINDS } from './routes.ts';

test('a path is read as it was written', () => {
  const routes: readonly EpochRoute[] = [
    { kind: 'leaves', epochId: 7n, tree: 'receipts', from: 0, count: 1 },
    { kind: 'leaves', epochId: (1n << 64n) - 1n, tree: 'entitlements', from: 2 ** 32 - 2, count: 4_096 },
    { kind: 'attribution', epochId: 1n, hash: new Uint8Array(32).fill(171) },
  ];
  for (const route of routes) expect(parseEpochPath(epochPath(route))).toEqual(route);
  expect(parseEpochPath(`/v1/epochs/1/attributions/${'AB'.repeat(32)}`)).toBeDefined();
});

test('what is out of bounds is no path', () => {
  const wrong = [
    '/v1/epochs/1/receipts',
    '/v1/epochs/1/receipts?from=0',
    '/v1/epochs/1/receipts?from=0&count=0',
    '/v1/epochs/1/receipts?from=0&count=4097',
    '/v1/epochs/1/receipts?from=-1&count=1',
    '/v1/epochs/1/receipts?from=1e3&count=1',
    '/v1/epochs/0/receipts?from=0&count=1',
    '/v1/epochs/x/receipts?from=0&count=1',
    '/v1/epochs/1/nodes?from=0&count=1',
    '/v1/epochs/1/toString?from=0&count=1',
    '/v1/epochs/1/attributions/ab',
    '/v2/epochs/1/receipts?from=0&count=1',
    '',
  ];
  for (const path of wrong) expect(parseEpochPath(path), path).toBeUndefined();
});

test('any neighbours open under the root, within the room that an answer has', () => {
  const dice = new Dice(randomFrom(21));
  for (let i = 0; i < 20; i++) {
    const { epoch } = makeWorld(dice);
    for (const tree of ['receipts', 'allocations', 'entitlements'] as const) {
      const { leaves } = epoch[tree].tree;
      if (leaves === 0) continue;
      const first = dice.below(leaves);
      const run = { first, end: dice.between(first + 1, leaves) };
      const opening = openRun(epoch[tree], run);
      expect(verifyRun(TREE_KINDS[tree], epoch[tree].tree, { run, opening })).toEqual(opening.leaves);
      const route = { kind: 'leaves', epochId: 1n, tree, from: first, count: run.end - first } as const;
      expect(EpochOpening.encode(opening).length).toBeLessThanOrEqual(answerBytesMax(route));
    }
  }
});
