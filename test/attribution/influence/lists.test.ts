/** The lists of a claim of influence hold what has an effect: who has none is left out of them by nobody. */
import { expect, test } from 'vitest';
import { openClaimFraud } from '../../../attest/influence/open-fraud.ts';
import { defined } from '../../../core/errors.ts';
import { verifyClaimFraud } from '../../../modules/attribution/proof/influence/claim-fraud.ts';
import {
  decodeEffect,
  type EffectLeaf,
  encodeEffect,
} from '../../../modules/attribution/proof/influence/leaves.ts';
import { randomFrom } from '../fidelity/digits.ts';
import { changedCard, changedClaim, smallWorld } from './world.ts';

/** Accuses a claim that lists nothing, and whose effects are all so, of leaving out the first of each list. */
function accuse(rule: 'omitted-example' | 'omitted-group', effect: Partial<EffectLeaf>): () => void {
  const world = smallWorld(randomFrom(3));
  const card = changedCard(world.card, { card: { topExamples: 3, topGroups: 3 } });
  const effects = world.claim.effects.leaves.map((leaf) =>
    encodeEffect({ ...defined(decodeEffect(leaf, card.card), 'an effect'), ...effect }),
  );
  const claim = changedClaim(card, world.claim, { effects, claim: { examples: [], groups: [] } });
  const fraud = openClaimFraud({ card, claim }, rule, { index: 0 });
  return () => verifyClaimFraud({ card: card.card, claim: claim.claim }, fraud);
}

test('an example whose score is 0 or less is left out by nobody, one of 1 is', () => {
  for (const score of [-1, 0]) expect(accuse('omitted-example', { score })).toThrow('the rule holds here');
  expect(accuse('omitted-example', { score: 1 })).not.toThrow();
});

test('a contribution whose weight is 0 is left out by nobody, one of 1 is', () => {
  expect(accuse('omitted-group', { weights: 0 })).toThrow('the rule holds here');
  expect(accuse('omitted-group', { weights: 1 })).not.toThrow();
});
