/** A small softmax head or adapter whose examples are those of some contributions, right and wrong. */
import { certify } from '../../attest/influence/certificate.ts';
import { findCardFraud } from '../../attest/influence/convict-card.ts';
import { findClaimFraud } from '../../attest/influence/convict-claim.ts';
import { hessianOf } from '../../attest/influence/hessian.ts';
import type { ServedCard, ServedClaim } from '../../attest/influence/published.ts';
import { claimOf, influenceOf, queryOf } from '../../attest/influence/query.ts';
import { trainHead } from '../../attest/influence/train.ts';
import { inputOf, trainingSet } from '../../attest/influence/training-set.ts';
import { utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import type { ModelKind } from '../../modules/attribution/proof/influence/bounds.ts';
import { cardId } from '../../modules/attribution/proof/influence/card.ts';
import { encodeCardFraud, encodeClaimFraud } from '../../modules/attribution/proof/influence/fraud.ts';

/** Which contributions of which snapshot. */
export interface HeadOptions {
  readonly datanetId: bigint;
  readonly snapshotCount: bigint;
  readonly contributionIds: readonly bigint[];
  /** Contributions that a claim lists. Default 8. */
  readonly topGroups?: number;
  /** Default: a head. */
  readonly kind?: ModelKind;
}

/** A card and a claim about one query. */
export interface SmallHead {
  readonly card: ServedCard;
  readonly claim: ServedClaim;
}

const EXAMPLES_EACH = 6;

/** Six examples of each contribution: two features, two classes. */
export function smallHead({
  datanetId,
  snapshotCount,
  contributionIds,
  topGroups = 8,
  kind = 'head',
}: HeadOptions): SmallHead {
  const examples = contributionIds.flatMap((contributionId, c) =>
    Array.from({ length: EXAMPLES_EACH }, (_, i) => ({
      features: [40 + 13 * i + 5 * c + 90 * (i % 2), 200 - 17 * i - 60 * (i % 2)],
      label: i % 2,
      contributionId,
      ...(kind === 'adapter' ? { offsets: [2 ** 22 * (3 - i), 2 ** 21 * (i + c)] } : {}),
    })),
  );
  const set = trainingSet(examples, 2);
  const head = trainHead(set, { lambda: 2 ** 18 });
  const influencer = { head, factors: hessianOf(head) };
  const extractor = new Uint8Array(32);
  const base = kind === 'adapter' ? { base: sha256(utf8('base model')) } : {};
  const card = certify(head, { datanetId, snapshotCount, extractor, ...base, topExamples: 4, topGroups });
  const influence = influenceOf(influencer, queryOf(head, inputOf(set, 1), 1));
  return { card, claim: claimOf(influencer, card, influence) };
}

/** The card with a bound that its gradient does not keep. */
export function wrongCard(served: ServedCard): ServedCard {
  return { ...served, card: { ...served.card, gradientBound: 0 } };
}

/** What convicts a card on a chain that has these contributions; undefined when it is right. */
export function cardFraud(served: ServedCard, contributionIds: readonly bigint[]): Uint8Array | undefined {
  const fraud = findCardFraud(served, { holds: (_datanet, _count, id) => contributionIds.includes(id) });
  return fraud === undefined ? undefined : encodeCardFraud(fraud);
}

/** The claim with one unit less for the first contribution. */
export function wrongClaim(served: ServedClaim): ServedClaim {
  const { claim } = served;
  const groups = claim.groups.map((group, i) => (i === 0 ? { ...group, weight: group.weight - 1 } : group));
  return { ...served, claim: { ...claim, groups } };
}

/** What convicts a claim on a card; undefined when it is right. */
export function claimFraud(card: ServedCard, claim: ServedClaim): Uint8Array | undefined {
  const fraud = findClaimFraud({
    card,
    claim: { ...claim, claim: { ...claim.claim, card: cardId(card.card) } },
  });
  return fraud === undefined ? undefined : encodeClaimFraud(fraud);
}
