import { expect, test } from 'vitest';
import { sha256 } from '../../core/hash.ts';
import { buildEpoch } from '../../gateway/epochs/build-epoch.ts';
import { openEpochFraud } from '../../gateway/epochs/open-fraud.ts';
import { QueryClaimRequest, QueryClaimResponse } from '../../proto/gen/openledger/attribution/v1/query.ts';
import { MsgSubmitClaim } from '../../proto/gen/openledger/attribution/v1/tx.ts';
import type { MsgPayInference } from '../../proto/gen/openledger/payments/v1/tx.ts';
import { EpochRule, PlaceKind } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import * as wire from '../../proto/gen/openledger/settlement/v1/tx.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import { creditedTo } from '../../test/support/earnings.ts';
import { payInference, paymentOf, registerModel } from '../../test/support/economic-loop.ts';
import { SettlementWorld } from '../../test/support/settlement-world.ts';
import { anyOf } from '../../test/support/test-chain.ts';
import { settlementErrors as errors } from './errors.ts';
import { encodeAttribution } from './proof/attribution.ts';
import type { AttributedWeights } from './proof/chain.ts';
import { encodeReceipt, type Receipt, RECEIPT_BYTES } from './proof/leaves.ts';

/** How an epoch of one receipt departs from what its claim says. */
interface Departure {
  readonly weights?: (weights: AttributedWeights) => AttributedWeights;
  readonly receipt?: Partial<Receipt>;
  /** What the receipt rests on; default 1, the only claim that there is. */
  readonly claimId?: bigint;
  /** The claim was sent alone, and no payment followed. */
  readonly isUnpaid?: boolean;
}

/** An epoch of one receipt that rests on claim 1, and the message that would convict it of that. */
function restingEpoch({ weights: change = (weights) => weights, ...departure }: Departure = {}) {
  const world = new SettlementWorld();
  const { loop } = world;
  const [adams, jefferson] = loop.documents;
  const payment = payInference(loop.payer, [
    { contributionId: 1n, document: adams, offset: 100, length: 80 },
    { contributionId: 2n, document: jefferson, offset: 200, length: 40 },
  ]);
  if (departure.isUnpaid) world.sendOk(loop.payer, submissionOf(payment));
  else world.sendOk(loop.payer, paymentOf(payment));
  const types = { request: QueryClaimRequest, response: QueryClaimResponse };
  const { claim } = world.chain.query('/openledger.attribution.v1.Query/Claim', types, { claimId: 1n });
  // Another model of the same price and split.
  world.sendOk(loop.seller, registerModel(loop.seller));
  world.register();
  world.claim([0, 1_260n]);
  const entries = claim.shares.map(({ contributionId, weight }) => {
    const index = Number(contributionId) - 1;
    return { place: { kind: PlaceKind.PLACE_KIND_DATANET, id: 1n, level: 0, index }, weight };
  });
  const weights = change({ entries, unattributed: claim.unattributedWeight });
  const bytes = encodeAttribution({ claimId: departure.claimId ?? 1n, ...weights });
  const [bare] = world.receipts();
  if (bare === undefined) throw new RangeError('no receipt');
  const rested = { ...bare, responseHash: claim.answerRoot, attribution: sha256(bytes) };
  const receipt = { ...rested, ...departure.receipt };
  const epoch = buildEpoch({
    receipts: { bytes: encodeReceipt(receipt), width: RECEIPT_BYTES, count: 1 },
    attribution: () => bytes,
    chain: world.watched(),
    rowsMax: 100,
  });
  world.settle(epoch);
  const fraud = openEpochFraud(epoch, EpochRule.EPOCH_RULE_ATTRIBUTION, { index: 0 });
  const dispute = anyOf(wire.MsgDisputeEpoch, { challenger: world.watcher.address, epochId: 1n, fraud });
  return { world, dispute, weights };
}

/** The claim of a payment, sent alone with its proofs. */
function submissionOf({ payer, modelId, answer, claim, requestHash }: MsgPayInference): Any {
  const message = { claimant: payer, modelId, answer, claim, bond: undefined, payer, requestHash };
  return anyOf(MsgSubmitClaim, MsgSubmitClaim.create(message));
}

test('a receipt rests on a claim that was verified in the payment that carried it, and pays its weights', () => {
  const { world, dispute, weights } = restingEpoch();
  world.refused(world.watcher, dispute, errors['not-convicted']);
  const credited = () => [0n, 1n].map((slot) => creditedTo(world.chain, 1n, slot));
  const [first = 0n, second = 0n] = credited();
  world.waitWindow();
  // 80 and 40 bytes are quoted, and nothing is nobody's.
  const [longer, shorter] = weights.entries.map(({ weight }) => weight);
  expect([longer, weights.unattributed]).toEqual([2n * (shorter ?? 0n), 0n]);
  expect(credited()).toEqual([first + 420n, second + 210n]);
  expect(world.moduleBalance('settlement')).toBe(0n);
  world.sound();
});

const DEPARTURES: readonly (readonly [string, Departure])[] = [
  ['has other weights', { weights: (one) => ({ ...one, unattributed: one.unattributed + 1n }) }],
  ['is about another answer', { receipt: { responseHash: sha256(new Uint8Array(1)) } }],
  ['is of another model', { receipt: { modelId: 2n } }],
  ['names a claim that is not there', { claimId: 2n }],
  ['rests on a claim that no payment followed', { isUnpaid: true }],
];

test.each(DEPARTURES)('a receipt that %s is convicted', (_, departure) => {
  const { world, dispute } = restingEpoch(departure);
  world.sendOk(world.watcher, dispute);
  expect(world.epoch()).toBeUndefined();
  expect(world.round()).toMatchObject({ claimed: '1260', epochId: 0n });
  world.sound();
});
