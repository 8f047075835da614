/** Sentences for a person: why each payout of a receipt is what it is. Every number in them is public. */
import {
  type ClaimRecord,
  ClaimState,
  type Share,
} from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { type Model, Party } from '../../proto/gen/openledger/models/v1/models.ts';
import type { Payout, Receipt } from '../../proto/gen/openledger/payments/v1/payments.ts';

/** What a receipt follows from. */
export interface Grounds {
  readonly receipt: Receipt;
  readonly model: Model;
  readonly claim: ClaimRecord | undefined;
  /** Account that holds the pools. */
  readonly poolsAccount: string;
}

/** One sentence for each payout, in their order. */
export function reasonsOf(grounds: Grounds): readonly string[] {
  return grounds.receipt.payouts.map((payout) => {
    const { fee } = grounds.receipt;
    return `${payout.amount}${fee.denom} to ${payout.recipient}: ${reasonOf(payout, grounds)}`;
  });
}

function reasonOf(payout: Payout, grounds: Grounds): string {
  const { split } = grounds.model;
  const { fee } = grounds.receipt;
  switch (payout.party) {
    case Party.PARTY_PLATFORM:
      return `platform, ${split.platformBps} of 10000 of the fee of ${fee.amount}${residual(split.residual, payout)}`;
    case Party.PARTY_STAKERS:
      return `stakers, ${split.stakersBps} of 10000 of the fee of ${fee.amount}${residual(split.residual, payout)}`;
    case Party.PARTY_MODEL:
      return modelReason(payout, grounds);
    default:
      return contributorReason(payout, grounds);
  }
}

function residual(party: Party, payout: Payout): string {
  return party === payout.party ? ', and what rounding left' : '';
}

function modelReason(payout: Payout, { model, receipt, poolsAccount }: Grounds): string {
  const whole = `the model part, ${model.split.modelBps} of 10000 of the fee of ${receipt.fee.amount}`;
  const where = payout.recipient === poolsAccount ? '' : 'instead of the lineage, whose pool was closed: ';
  const taken = model.lineage.reduce((sum, { bps }) => sum + bps, 0);
  const owner = `its owner ${10_000 - taken} of 10000`;
  const ancestors = model.lineage.map(({ modelId, bps }) => `, model ${modelId} ${bps}`).join('');
  return `${where}pool of model ${payout.modelId}, ${whole}${residual(model.split.residual, payout)}; of it ${owner}${ancestors}`;
}

function contributorReason(payout: Payout, { model, receipt, claim, poolsAccount }: Grounds): string {
  const whole = `the contributors' part of ${receipt.split.contributors}, ${model.split.contributorsBps} of 10000 of the fee`;
  if (payout.claimId > 0n)
    return `held until claim ${payout.claimId} is decided, after height ${claim?.finalHeight ?? 0n}; ${whole}`;
  if (payout.datanetId > 0n) {
    const where =
      payout.recipient === poolsAccount ? '' : 'instead of the contributors, of whom none had a weight: ';
    const positions = `the first ${payout.positions} positions of datanet ${payout.datanetId}, a snapshot of the model`;
    return `${where}${positions}, because ${whyPooled(claim)}; its share by bytes of ${whole}`;
  }
  const share = claim?.shares.find(({ contributionId }) => contributionId === payout.contributionId);
  const weight = `weight ${share?.weight ?? 0n} of ${claim?.totalWeight ?? 0n} in claim ${receipt.claimId}`;
  const parts = share === undefined ? [] : partsOf(share);
  if (parts.length === 0)
    return `contribution ${payout.contributionId} is quoted with ${weight}; its share of ${whole}`;
  return `contribution ${payout.contributionId} has ${weight}, by ${parts.join(', ')}; its share of ${whole}`;
}

function whyPooled(claim: ClaimRecord | undefined): string {
  if (claim === undefined) return 'the answer quotes nothing';
  switch (claim.state) {
    case ClaimState.CLAIM_STATE_REFUTED:
      return `claim ${claim.id} was refuted`;
    case ClaimState.CLAIM_STATE_VOIDED:
      return `what claim ${claim.id} rests on was convicted`;
    default:
      return `claim ${claim.id} leaves parts of the model's policy out`;
  }
}

/** What a share by a policy is made of. */
function partsOf({ tokenWeight, influenceWeight, retrievalWeight }: Share): readonly string[] {
  const parts: readonly (readonly [string, bigint])[] = [
    ['tokens', tokenWeight],
    ['influence', influenceWeight],
    ['retrieval', retrievalWeight],
  ];
  return parts.filter(([, weight]) => weight > 0n).map(([name, weight]) => `${weight} for ${name}`);
}
