/** Sentences for a person: why each payout of a receipt is what it is. Every number in them is public. */
import type { ClaimRecord } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { type Model, Party } from '../../proto/gen/openledger/models/v1/models.ts';
import type { Payout, Receipt } from '../../proto/gen/openledger/payments/v1/payments.ts';

/** What a receipt follows from. */
export interface Grounds {
  readonly receipt: Receipt;
  readonly model: Model;
  readonly claim: ClaimRecord | undefined;
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

function modelReason(payout: Payout, { model, receipt }: Grounds): string {
  const whole = `the model part of ${receipt.split.model}, ${model.split.modelBps} of 10000 of the fee of ${receipt.fee.amount}`;
  if (payout.modelId === model.id) return `owner of model ${model.id}, ${whole}, less what ancestors take`;
  const entry = model.lineage.find(({ modelId }) => modelId === payout.modelId);
  return `ancestor ${payout.modelId} of model ${model.id}, ${entry?.bps ?? 0} of 10000 of ${whole}`;
}

function contributorReason(payout: Payout, { model, receipt, claim }: Grounds): string {
  const whole = `the contributors' part of ${receipt.split.contributors}, ${model.split.contributorsBps} of 10000 of the fee`;
  if (payout.datanetId > 0n)
    return `pool of datanet ${payout.datanetId}, because the answer quotes nothing; its share by bytes of ${whole}`;
  const share = claim?.shares.find(({ contributionId }) => contributionId === payout.contributionId);
  const weight = `weight ${share?.weight ?? 0n} of ${claim?.totalWeight ?? 0n} in claim ${receipt.claimId}`;
  return `contribution ${payout.contributionId} is quoted with ${weight}; its share of ${whole}`;
}
