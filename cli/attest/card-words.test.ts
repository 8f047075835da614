import { expect, test } from 'vitest';
import { findCardFraud } from '../../attest/influence/convict-card.ts';
import { smallHead, wrongCard } from '../../test/support/head-world.ts';
import { problemOfPay, wordsOfCardFraud } from './card-words.ts';

const { card } = smallHead({ datanetId: 4n, snapshotCount: 250n, contributionIds: [3n, 17n] });

test('what is wrong with a card is said of the contribution, not of the rule', () => {
  const stranger = findCardFraud(card, { holds: (_datanet, _count, id) => id !== 17n });
  expect(stranger && wordsOfCardFraud(card, stranger)).toContain(
    'contribution 17 is not one of the first 250 of Datanet 4',
  );
  const wrong = wrongCard(card);
  const bound = findCardFraud(wrong, { holds: () => true });
  expect(bound && wordsOfCardFraud(wrong, bound)).toMatch(
    /changed after "train" wrote it \(rule bound at 0\)/,
  );
});

test('a model without a policy, or with one that pays for other parts, pays nothing for influence', () => {
  const policy = { tokenBps: 0, influenceBps: 1, retrievalBps: 9999, bondedClaimsOnly: false };
  expect(problemOfPay({ id: 1n, attributionPolicy: policy })).toBeUndefined();
  for (const attributionPolicy of [undefined, { ...policy, influenceBps: 0 }])
    expect(problemOfPay({ id: 1n, attributionPolicy })).toContain('model 1 pays nothing for influence');
});
