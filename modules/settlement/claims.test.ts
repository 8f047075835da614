import { expect, test } from 'vitest';
import { sha256 } from '../../core/hash.ts';
import { buildEpoch } from '../../gateway/epochs/build-epoch.ts';
import { openEpochFraud } from '../../gateway/epochs/open-fraud.ts';
import { QueryClaimRequest, QueryClaimResponse } from '../../proto/gen/openledger/attribution/v1/query.ts';
import { EpochRule, PlaceKind } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import * as wire from '../../proto/gen/openledger/settlement/v1/tx.ts';
import { payInference, paymentOf } from '../../test/support/economic-loop.ts';
import { SettlementWorld } from '../../test/support/settlement-world.ts';
import { anyOf } from '../../test/support/test-chain.ts';
import { settlementErrors as errors } from './errors.ts';
import { encodeAttribution } from './proof/attribution.ts';
import type { AttributedWeights } from './proof/chain.ts';
import { encodeReceipt, RECEIPT_BYTES } from './proof/leaves.ts';

/** An epoch of one receipt that rests on claim 1, with these weights; the claim was carried by a payment. */
function restingEpoch(change: (weights: AttributedWeights) => AttributedWeights) {
  const world = new SettlementWorld();
  const { loop } = world;
  const quote = { contributionId: 1n, document: loop.documents[0], offset: 100, length: 80 };
  world.sendOk(loop.payer, paymentOf(payInference(loop.payer, [quote])));
  const types = { request: QueryClaimRequest, response: QueryClaimResponse };
  const { claim } = world.chain.query('/openledger.attribution.v1.Query/Claim', types, { claimId: 1n });
  world.register();
  world.claim([0, 1_260n]);
  const place = { kind: PlaceKind.PLACE_KIND_DATANET, id: 1n, level: 0, index: 0 };
  const entries = [{ place, weight: claim.shares[0]?.weight ?? 0n }];
  const weights = change({ entries, unattributed: claim.unattributedWeight });
  const bytes = encodeAttribution({ claimId: 1n, ...weights });
  const [bare] = world.receipts();
  if (bare === undefined) throw new RangeError('no receipt');
  const receipt = { ...bare, responseHash: claim.answerRoot, attribution: sha256(bytes) };
  const epoch = buildEpoch({
    receipts: { bytes: encodeReceipt(receipt), width: RECEIPT_BYTES, count: 1 },
    attribution: () => bytes,
    chain: world.watched(),
    rowsMax: 100,
  });
  world.settle(epoch);
  const fraud = openEpochFraud(epoch, EpochRule.EPOCH_RULE_ATTRIBUTION, { index: 0 });
  const dispute = anyOf(wire.MsgDisputeEpoch, { challenger: world.watcher.address, epochId: 1n, fraud });
  return { world, dispute };
}

test('a receipt rests on a claim that was verified in the payment that carried it', () => {
  const { world, dispute } = restingEpoch((weights) => weights);
  world.refused(world.watcher, dispute, errors['not-convicted']);
  world.waitWindow();
  world.sound();
});

test('a receipt that has other weights than its claim is convicted', () => {
  const { world, dispute } = restingEpoch((weights) => ({
    ...weights,
    unattributed: weights.unattributed + 1n,
  }));
  world.sendOk(world.watcher, dispute);
  expect(world.epoch()).toBeUndefined();
  world.sound();
});
