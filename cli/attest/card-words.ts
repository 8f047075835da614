/** What keeps a model card from being published, in words. */
import type { ServedCard } from '../../attest/influence/published.ts';
import type { CardFraud } from '../../modules/attribution/proof/influence/fraud.ts';
import { decodeGroup } from '../../modules/attribution/proof/influence/leaves.ts';
import type { Model } from '../../proto/gen/openledger/models/v1/models.ts';

/** What is wrong with a card. Of one that `train` wrote that can only be whose examples it has. */
export function wordsOfCardFraud({ card, groups }: ServedCard, { rule, index }: CardFraud): string {
  const changed = `its leaves were changed after "train" wrote it (rule ${rule} at ${index}); train it again`;
  if (rule !== 'stranger') return changed;
  const leaf = groups.leaves[index];
  const group = leaf && decodeGroup(leaf, card);
  if (group === undefined) return changed;
  const { snapshotCount, datanetId } = card;
  return (
    `contribution ${group.contributionId} is not one of the first ${snapshotCount} of Datanet ${datanetId}; ` +
    'train it without, or with a --snapshot that has it'
  );
}

/** Why a card of this model would earn nothing; undefined when its model pays for influence. */
export function problemOfPay(model: Pick<Model, 'id' | 'attributionPolicy'>): string | undefined {
  if ((model.attributionPolicy?.influenceBps ?? 0) > 0) return undefined;
  return `model ${model.id} pays nothing for influence, so no claim can rest on the card; its bond would be bound for nothing (--unpaid publishes it all the same)`;
}
