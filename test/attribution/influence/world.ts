/** A small model with its card, a query with its claim, and ways to put other leaves behind their roots. */
import { type CardOptions, certify } from '../../../attest/influence/certificate.ts';
import { hessianOf } from '../../../attest/influence/hessian.ts';
import { type ServedCard, type ServedClaim, servedTree } from '../../../attest/influence/published.ts';
import {
  claimOf,
  type Influence,
  influenceOf,
  type Influencer,
  queryOf,
} from '../../../attest/influence/query.ts';
import { servedSums } from '../../../attest/influence/sums.ts';
import { trainHead } from '../../../attest/influence/train.ts';
import { inputOf, trainingSet } from '../../../attest/influence/training-set.ts';
import type { ModelKind } from '../../../modules/attribution/proof/influence/bounds.ts';
import { cardId, type InfluenceCard } from '../../../modules/attribution/proof/influence/card.ts';
import type { CardChain } from '../../../modules/attribution/proof/influence/card-fraud.ts';
import type { InfluenceClaim } from '../../../modules/attribution/proof/influence/claim.ts';

/** The chain of these tests: a Datanet whose contributions are 1 to 10,000. */
export const chain: CardChain = { holds: (_datanet, count, id) => id >= 1n && id <= count };

export interface World {
  readonly influencer: Influencer;
  readonly influence: Influence;
  readonly card: ServedCard;
  readonly claim: ServedClaim;
}

const LAMBDA = 2 ** 18;
const CLASSES = 3;

/** What the cards of these worlds say besides the model. */
export function certificateOf(kind: ModelKind): CardOptions {
  const options = { datanetId: 1n, snapshotCount: 10_000n, extractor: new Uint8Array(32) };
  return kind === 'adapter' ? { ...options, base: new Uint8Array(32).fill(7) } : options;
}

/**
 * 5 to 80 examples of 3 to 6 features in 3 classes, in contributions of 1 to 4 examples. Offsets of an
 * adapter are logits within ±3; in one world of five they may be any.
 */
export function smallWorld(random: () => number, kind: ModelKind = 'head'): World {
  const whole = (least: number, most: number): number => least + Math.floor(random() * (most - least + 1));
  const width = whole(3, 6);
  const most = kind === 'adapter' && random() < 0.2 ? 2 ** 31 - 1 : 3 * 2 ** 24;
  const some = (): number[] => Array.from({ length: CLASSES }, () => whole(-most, most));
  const offsets = (): { readonly offsets?: readonly number[] } =>
    kind === 'adapter' ? { offsets: some() } : {};
  const examples = [];
  const count = whole(5, 80);
  for (let id = 1n; examples.length < count; id += BigInt(whole(1, 3))) {
    for (let i = whole(1, 4); i > 0 && examples.length < count; i--) {
      const label = whole(0, 2);
      const features = Array.from({ length: width }, (_, j) =>
        Math.min(255, whole(1, 120) + (j % 3 === label ? 100 : 0)),
      );
      examples.push({ features, label, contributionId: id, ...offsets() });
    }
  }
  const set = trainingSet(examples, CLASSES);
  const head = trainHead(set, { lambda: LAMBDA });
  const influencer = { head, factors: hessianOf(head) };
  const card = certify(head, {
    ...certificateOf(kind),
    topExamples: whole(0, 6),
    topGroups: whole(1, 5),
  });
  const influence = influenceOf(influencer, queryOf(head, inputOf(set, whole(0, count - 1)), whole(0, 2)));
  return { influencer, influence, card, claim: claimOf(influencer, card, influence) };
}

/** What to put in the place of what was served. */
export interface CardChange {
  readonly weights?: readonly Uint8Array[];
  readonly examples?: readonly Uint8Array[];
  readonly residuals?: readonly Uint8Array[];
  readonly groups?: readonly Uint8Array[];
  readonly coordinates?: readonly (readonly Uint8Array[])[];
  readonly nodes?: readonly Uint8Array[];
  readonly card?: Partial<InfluenceCard>;
}

/** A card over other leaves, its roots those of the leaves. */
export function changedCard(served: ServedCard, change: CardChange): ServedCard {
  const weights = change.weights === undefined ? served.weights : servedTree('weights', change.weights);
  const examples = change.examples === undefined ? served.examples : servedTree('examples', change.examples);
  const residuals =
    change.residuals === undefined ? served.residuals : servedTree('residuals', change.residuals);
  const groups = change.groups === undefined ? served.groups : servedTree('groups', change.groups);
  const sums = changedSums(served.sums, change);
  const roots = {
    weights: weights.tree.root,
    examples: examples.tree.root,
    residuals: residuals.tree.root,
    groups: groups.tree.root,
    sums: sums.tree.root,
  };
  return { card: { ...served.card, ...change.card, roots }, weights, examples, residuals, groups, sums };
}

function changedSums(
  sums: ServedCard['sums'],
  { coordinates, nodes }: Pick<CardChange, 'coordinates' | 'nodes'>,
): ServedCard['sums'] {
  if (nodes !== undefined) return { ...servedTree('sums', nodes), coordinates: sums.coordinates };
  return coordinates === undefined ? sums : servedSums(coordinates);
}

export interface ClaimChange {
  readonly solution?: readonly Uint8Array[];
  readonly effects?: readonly Uint8Array[];
  readonly coordinates?: readonly (readonly Uint8Array[])[];
  readonly nodes?: readonly Uint8Array[];
  readonly claim?: Partial<InfluenceClaim>;
}

/** A claim over other leaves, its roots those of the leaves. */
export function changedClaim(card: ServedCard, served: ServedClaim, change: ClaimChange): ServedClaim {
  const solution = change.solution === undefined ? served.solution : servedTree('solution', change.solution);
  const effects = change.effects === undefined ? served.effects : servedTree('effects', change.effects);
  const sums = changedSums(served.sums, change);
  const roots = { solution: solution.tree.root, effects: effects.tree.root, sums: sums.tree.root };
  const claim = { ...served.claim, card: cardId(card.card), ...change.claim, roots };
  return { claim, solution, effects, sums };
}
