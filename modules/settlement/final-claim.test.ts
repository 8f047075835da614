import { expect, test } from 'vitest';
import { sha256 } from '../../core/hash.ts';
import { ClaimRecord, ClaimState, Share } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { Contribution } from '../../proto/gen/openledger/datanet/v1/datanet.ts';
import { PlaceKind } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import { TestChain } from '../../test/support/test-chain.ts';
import { finalClaim } from './final-claim.ts';

const chain = new TestChain();
chain.block();
const context = chain.app.contextAt(chain.height);

const CLAIM = ClaimRecord.create({
  id: 7n,
  answerRoot: sha256(Uint8Array.of(1)),
  modelId: 3n,
  state: ClaimState.CLAIM_STATE_FINAL,
  receiptId: 5n,
  unattributedWeight: 9n,
  // Contribution 12 lies at the lower place; of 13 nothing is known.
  shares: [
    Share.create({ contributionId: 11n, weight: 40n }),
    Share.create({ contributionId: 12n, weight: 60n }),
    Share.create({ contributionId: 13n, weight: 1n }),
  ],
});

const POSITIONS = new Map([
  [11n, 4n],
  [12n, 2n],
]);

/** What settlement takes from attribution that has this claim. */
function taken(change: Partial<ClaimRecord> = {}, asked = CLAIM.id) {
  const datanets = {
    datanet: () => undefined,
    contributionAt: () => undefined,
    contribution(_: unknown, id: bigint) {
      const position = POSITIONS.get(id);
      return position === undefined ? undefined : Contribution.create({ id, datanetId: 1n, position });
    },
  };
  const claim = (_: unknown, id: bigint) => (id === CLAIM.id ? { ...CLAIM, ...change } : undefined);
  return finalClaim({ attribution: { claim }, datanets }, context, asked);
}

test('what is taken of a claim are its model, its answer and its weights by place', () => {
  const placeOf = (index: number) => ({ kind: PlaceKind.PLACE_KIND_DATANET, id: 1n, level: 0, index });
  const entries = [
    { place: placeOf(2), weight: 60n },
    { place: placeOf(4), weight: 40n },
  ];
  const { answerRoot } = CLAIM;
  expect(taken()).toEqual({ modelId: 3n, answerRoot, weights: { entries, unattributed: 9n } });
});

test.each([
  ['UNSPECIFIED', true],
  ['VERIFIED', true],
  ['PENDING', false],
  ['FINAL', true],
  ['REFUTED', false],
  ['VOIDED', false],
] as const)('a claim in state %s that was paid stands: %s', (name, stands) => {
  expect(taken({ state: ClaimState[`CLAIM_STATE_${name}`] }) !== undefined).toBe(stands);
});

test('a claim that no payment followed is none, nor is one that is not there', () => {
  expect(taken({ receiptId: 0n })).toBeUndefined();
  expect(taken({}, 8n)).toBeUndefined();
});
