import { expect, test } from 'vitest';
import { randomFrom } from '../../attribution/fidelity/digits.ts';
import { findSignedFraud } from '../../../gateway/epochs/find-fraud.ts';
import { openEpochFraud } from '../../../gateway/epochs/open-fraud.ts';
import { verifyEpochFraud } from '../../../modules/settlement/proof/fraud.ts';
import { encodeReceipt } from '../../../modules/settlement/proof/leaves.ts';
import { EpochRule } from '../../../proto/gen/openledger/settlement/v1/epoch.ts';
import { runCampaign } from './campaign.ts';
import { Dice } from './dice.ts';
import { makeWorld, SIGNATURE } from './world.ts';

/** Lies that do not add up: the chain does not take such an epoch. */
const REFUSED_AT_ONCE = ['omitted receipt', 'duplicate receipt'];

/** Half a minute on a machine that is busy with others. */
const TIMEOUT_MS = 180_000;

test('every lie is convicted by one message, and nothing honest is', { timeout: TIMEOUT_MS }, () => {
  const dice = new Dice(randomFrom(11));
  const result = runCampaign({ epochs: 60, lies: 14, mutations: 20, dice, now: () => 0 });
  expect(result.missed).toEqual([]);
  expect(result.honestConvicted).toEqual([]);
  expect(result.accused).toBeGreaterThan(500);
  for (const { name, convicted, refused } of result.tallies)
    expect(REFUSED_AT_ONCE.includes(name) ? refused : convicted, name).toBeGreaterThan(0);
  const rules = new Set(result.tallies.flatMap((tally) => [...tally.rules]));
  expect(rules.size).toBe(Object.values(EpochRule).length - 1);
});

test('what the gateway did not sign, signed for another lane, or signed as it stands convicts nobody', () => {
  const dice = new Dice(randomFrom(12));
  const { epoch, chain, receipts } = makeWorld(dice);
  const on = { epoch: epoch.commitment, chain };
  const one = dice.pick(receipts);
  const other = encodeReceipt({ ...one, requestHash: dice.bytes(32) });
  const found = findSignedFraud(epoch, chain, { receipt: other, signature: SIGNATURE });
  if (found === undefined) throw new Error('a receipt that stands otherwise is not found');
  expect(() => verifyEpochFraud(on, found)).not.toThrow();
  expect(() => verifyEpochFraud(on, { ...found, signature: dice.bytes(32) })).toThrow('the rule holds');
  const same = { receipt: encodeReceipt(one), signature: SIGNATURE };
  expect(findSignedFraud(epoch, chain, same)).toBeUndefined();
  const stranger = encodeReceipt({ ...one, channel: dice.bytes(32) });
  expect(findSignedFraud(epoch, chain, { receipt: stranger, signature: SIGNATURE })).toBeUndefined();
  expect(() => verifyEpochFraud(on, { ...found, receipt: stranger })).toThrow('charges something else');
  expect(() => verifyEpochFraud(on, { ...found, receipt: other.slice(1) })).toThrow('no receipt');
  // Paid in part: the rest is of the next epoch, or of none.
  const to = chain.lane(one.channel, one.lane)?.to ?? one.after;
  const parts = { ...one.parts, platform: one.parts.platform + to + 1n - one.after };
  const longer = encodeReceipt({ ...one, after: to + 1n, parts });
  expect(findSignedFraud(epoch, chain, { receipt: longer, signature: SIGNATURE })).toBeUndefined();
  expect(() => verifyEpochFraud(on, { ...found, receipt: longer })).toThrow('as a whole');
});

test('a message says nothing that its rule does not use, and opens exactly what it needs', () => {
  const { epoch, chain } = makeWorld(new Dice(randomFrom(13)));
  const on = { epoch: epoch.commitment, chain };
  const fee = openEpochFraud(epoch, EpochRule.EPOCH_RULE_FEE, { index: 0 });
  const wrong = [
    [{ ...fee, level: 1 }, 'a level'],
    [{ ...fee, tree: 1 }, 'nodes'],
    [{ ...fee, attribution: Uint8Array.of(1) }, 'an attribution'],
    [{ ...fee, signature: Uint8Array.of(1) }, 'a signed receipt'],
    [{ ...fee, rule: 99 }, 'no rule 99'],
    [{ ...fee, openings: [] }, 'an opening is missing'],
    [{ ...fee, index: epoch.commitment.receipts.leaves }, 'leads elsewhere'],
    [fee, 'the rule holds here'],
  ] as const;
  for (const [fraud, why] of wrong) expect(() => verifyEpochFraud(on, fraud)).toThrow(why);
});
