import { expect, test } from 'vitest';
import { randomFrom } from '../../test/attribution/fidelity/digits.ts';
import { verifyEpochFraud } from '../../modules/settlement/proof/fraud.ts';
import { EpochRule } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import { Dice } from '../../test/settlement/epochs/dice.ts';
import { LIES } from '../../test/settlement/epochs/lies.ts';
import { makeWorld } from '../../test/settlement/epochs/world.ts';
import { findEpochFraud } from '../epochs/find-fraud.ts';
import { openRun, type PublishedEpoch } from '../epochs/published.ts';
import { accuse } from './accuse.ts';
import { FetchedEpoch, TREE_NAMES } from './fetched-epoch.ts';

/** What of an epoch leads to its roots. */
function fetchedFrom(epoch: PublishedEpoch): FetchedEpoch {
  const fetched = new FetchedEpoch(epoch.commitment);
  const attribution = new Uint8Array(0);
  for (const tree of TREE_NAMES) {
    const { leaves } = epoch[tree].tree;
    for (let at = 0; at < leaves; at = fetched[tree].runAt(at).end) {
      const opening = openRun(epoch[tree], fetched[tree].runAt(at));
      fetched.put({ kind: 'run', tree, first: at }, { opening, attribution });
    }
  }
  for (const place of fetched.missingAttributions()) {
    const bytes = epoch.attribution(place.hash);
    const opening = { leaves: [], siblings: attribution };
    if (bytes !== undefined) fetched.put(place, { opening, attribution: bytes });
  }
  return fetched;
}

test('each rule that a leaf can break is found without the rest, and nothing honest is accused', () => {
  const dice = new Dice(randomFrom(51));
  const rules = new Set<EpochRule>();
  for (let i = 0; i < 3 * LIES.length; i++) {
    const world = makeWorld(dice, { receiptsMax: 20 });
    const { chain } = world;
    expect(accuse(fetchedFrom(world.epoch), chain)).toBeUndefined();
    const told = LIES[i % LIES.length]?.tell(world, dice);
    if (told === undefined) continue;
    const fetched = fetchedFrom(told);
    const fraud = accuse(fetched, chain);
    if (fraud !== undefined) {
      expect(() => verifyEpochFraud({ epoch: told.commitment, chain }, fraud)).not.toThrow();
      rules.add(fraud.rule);
    } else if (fetched.isWhole) expect(findEpochFraud(told, chain)).toBeUndefined();
  }
  const { EPOCH_RULE_SUM: sum, EPOCH_RULE_FORM: form, EPOCH_RULE_SIGNED: signed } = EpochRule;
  const wanted = Object.values(EpochRule).filter(
    (rule) => rule > 0 && ![sum, form, signed].some((r) => r === rule),
  );
  expect([...rules].sort((a, b) => a - b)).toEqual(wanted);
});

test('a lie beside a run that is missing convicts', () => {
  const dice = new Dice(randomFrom(52));
  let convicted = 0;
  for (let i = 0; i < 30; i++) {
    const world = makeWorld(dice, { receiptsMax: 400 });
    if (world.receipts.length < 130) continue;
    const told = LIES.find(({ name }) => name === 'tokens')?.tell(world, dice);
    if (told === undefined) continue;
    const whole = fetchedFrom(told);
    const wrong = findEpochFraud(whole, world.chain)?.index ?? 0;
    const fetched = new FetchedEpoch(told.commitment);
    const run = fetched.receipts.runAt(wrong);
    expect(fetched.receipts.put(run, openRun(told.receipts, run))).toBe(true);
    expect(accuse(fetched, world.chain)?.rule).toBe(EpochRule.EPOCH_RULE_FEE);
    convicted++;
  }
  expect(convicted).toBeGreaterThan(3);
});
