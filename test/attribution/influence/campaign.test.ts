import { expect, test } from 'vitest';
import { openCardFraud, openClaimFraud } from '../../../attest/influence/open-fraud.ts';
import { equalBytes, toHex } from '../../../core/bytes.ts';
import { DecodeError } from '../../../core/errors.ts';
import { sha256 } from '../../../core/hash.ts';
import { verifyClaimFraud } from '../../../modules/attribution/proof/influence/claim-fraud.ts';
import { encodeCardFraud } from '../../../modules/attribution/proof/influence/fraud.ts';
import { cardId, decodeCard, encodeCard } from '../../../modules/attribution/proof/influence/card.ts';
import { decodeClaim, encodeClaim } from '../../../modules/attribution/proof/influence/claim.ts';
import { randomFrom } from '../fidelity/digits.ts';
import { runCampaign } from './campaign.ts';
import { smallWorld } from './world.ts';

test('every lie about a card or a claim is convicted, nothing honest is', () => {
  const result = runCampaign({ lies: 480, random: randomFrom(20), now: () => 0 });
  expect(result.missed).toEqual([]);
  expect(result.honestConvicted).toEqual([]);
  expect(result.honestTried).toBeGreaterThan(1_000);
  for (const { name, told, convicted, refused, bytes } of result.tallies) {
    expect(convicted + refused, name).toBe(told);
    expect(convicted + refused, name).toBeGreaterThan(0);
    expect(Math.max(0, ...bytes), name).toBeLessThan(3_000);
  }
});

test('a fraud that has no index, or no coordinate, has one encoding', () => {
  const { card, claim } = smallWorld(randomFrom(5), 'head');
  const on = { card: card.card, claim: { ...claim.claim, total: claim.claim.total + 1 } };
  const fraud = openClaimFraud({ card, claim }, 'total', {});
  expect(() => verifyClaimFraud(on, fraud)).not.toThrow();
  expect(() => verifyClaimFraud(on, { ...fraud, index: 1 })).toThrow('an index that means nothing');
  expect(() => verifyClaimFraud(on, { ...fraud, coordinate: 1 })).toThrow('a coordinate that means nothing');
});

const FROZEN = {
  head: [
    'b1704dbe280e644c2f0bef6c744877fd4aa9eaad80f9417b9238e83883b6befb',
    'e82a534794de4abd15ca8c914bf926833d63f3dc2b7aabf24ecac2967122772d',
    'e6cb7a80ea86f659e304d2f40deb53f2a1203c23aae19578df3cd8af48a66803',
  ],
  adapter: [
    'f7ba59cb3f7522d3864b7a0d9daeade6f84f384887e26cedf2a5f13d34340c6a',
    'c3e137086aca32a4ed6ecae36885e52ad3ab6f72331cc050b10fc9e5a8257b25',
    '63da31c41f323fe638aab0f08245be6fb6bc2b96d5602595e069c14808d0bdc5',
  ],
} as const;

test.each(['head', 'adapter'] as const)('formats of the %s are frozen', (kind) => {
  const { card, claim } = smallWorld(randomFrom(5), kind);
  const fraud = encodeCardFraud(openCardFraud(card, 'sum', { index: 1, coordinate: 2 }));
  const digests = [encodeCard(card.card), encodeClaim(claim.claim), fraud].map((bytes) =>
    toHex(sha256(bytes)),
  );
  expect(digests).toEqual(FROZEN[kind]);
});

test.each(['head', 'adapter'] as const)('cards and claims of the %s have one encoding', (kind) => {
  const { card, claim } = smallWorld(randomFrom(5), kind);
  const cardBytes = encodeCard(card.card);
  const claimBytes = encodeClaim(claim.claim);
  expect(equalBytes(encodeCard(decodeCard(cardBytes)), cardBytes)).toBe(true);
  expect(equalBytes(encodeClaim(decodeClaim(claimBytes)), claimBytes)).toBe(true);
  expect(cardId(decodeCard(cardBytes))).toEqual(cardId(card.card));
  for (const bytes of [cardBytes, claimBytes]) {
    const decode = bytes === cardBytes ? decodeCard : decodeClaim;
    expect(() => decode(Uint8Array.from([...bytes, 0]))).toThrow('too many');
    expect(() => decode(bytes.slice(0, -1))).toThrow('ends at');
    const other = Uint8Array.from([kind === 'head' ? 2 : 1, ...bytes.slice(1)]);
    expect(() => decode(other)).toThrow(DecodeError);
    expect(() => decode(Uint8Array.from([9, ...bytes.slice(1)]))).toThrow('of form 9');
  }
});
