/**
 * Evidence about the largest adapter that influence takes, which has longer leaves than a head: every rule,
 * opened where it holds.
 */
import { openCardFraud, openClaimFraud, type ServedPair } from '../../attest/influence/open-fraud.ts';
import { type ServedSums, servedTree } from '../../attest/influence/published.ts';
import {
  CLASSES_MAX,
  coordinates,
  FEATURE_MAX,
  FEATURES_MAX,
  type Shape,
} from '../../modules/attribution/proof/influence/bounds.ts';
import type { InfluenceCard } from '../../modules/attribution/proof/influence/card.ts';
import { verifyCardFraud } from '../../modules/attribution/proof/influence/card-fraud.ts';
import type { InfluenceClaim } from '../../modules/attribution/proof/influence/claim.ts';
import { verifyClaimFraud } from '../../modules/attribution/proof/influence/claim-fraud.ts';
import {
  CARD_RULES,
  type CardRule,
  CLAIM_RULES,
  type ClaimRule,
  decodeCardFraud,
  decodeClaimFraud,
  encodeCardFraud,
  encodeClaimFraud,
  workOfInfluenceFraud,
} from '../../modules/attribution/proof/influence/fraud.ts';
import {
  encodeCoordinates,
  encodeEffect,
  encodeExample,
  encodeGroup,
  encodeNode,
  encodeResidual,
  encodeRow,
  LEAF_COORDINATES,
} from '../../modules/attribution/proof/influence/leaves.ts';
import { sumLevels, sumNodes } from '../../modules/attribution/proof/influence/sum-tree.ts';
import { refusalOr } from '../../modules/attribution/proof/refusal.ts';
import type { EvidenceCase } from './evidence-cases.ts';
import { influencePieces } from './evidence-pieces.ts';

/** Two levels of sums. */
const EXAMPLES = 64;
const SHAPE: Shape = {
  kind: 'adapter',
  features: FEATURES_MAX,
  classes: CLASSES_MAX,
  examples: EXAMPLES,
};

function times<T>(count: number, make: (i: number) => T): T[] {
  return Array.from({ length: count }, (_, i) => make(i));
}

/** Sums that are all zero. */
function zeroSums(): ServedSums {
  const leaf = encodeCoordinates(new Float64Array(LEAF_COORDINATES));
  const leaves = times(coordinates(SHAPE) / LEAF_COORDINATES, () => leaf);
  const node = encodeNode(servedTree('coordinates', leaves).tree.root);
  const nodes = sumNodes(EXAMPLES);
  return {
    ...servedTree(
      'sums',
      times(nodes, () => node),
    ),
    coordinates: times(nodes, () => leaves),
  };
}

/** An adapter of made-up numbers whose leaves are well-formed. */
function largestAdapter(): ServedPair {
  const { features, classes } = SHAPE;
  const zeros = (count: number): Float64Array => new Float64Array(count);
  const logits = Float64Array.from({ length: classes }, (_, k) => 2 ** 20 * ((k * 37) % 101));
  const row = Float64Array.from({ length: features }, (_, j) => (j * 7) % 1_000);
  const feature = Uint8Array.from({ length: features }, (_, j) =>
    j === features - 1 ? FEATURE_MAX : j % 256,
  );
  const offsets = Int32Array.from({ length: classes }, (_, k) => 2 ** 20 * ((k * 11) % 101));
  const sums = zeroSums();
  const example = encodeExample({ contributionId: 1n, label: 0, features: feature, offsets });
  const residual = encodeResidual({ logits, residual: zeros(classes) });
  const effect = encodeEffect({ response: logits, curvature: zeros(classes), score: 0, weights: 0 });
  const trees = {
    weights: servedTree(
      'weights',
      times(classes, () => encodeRow('weights', row)),
    ),
    examples: servedTree(
      'examples',
      times(EXAMPLES, () => example),
    ),
    residuals: servedTree(
      'residuals',
      times(EXAMPLES, () => residual),
    ),
    groups: servedTree('groups', [encodeGroup({ contributionId: 1n, first: 0, count: EXAMPLES })]),
    sums,
  };
  const solution = servedTree(
    'solution',
    times(classes, () => encodeRow('solution', row)),
  );
  const effects = servedTree(
    'effects',
    times(EXAMPLES, () => effect),
  );
  const rootOf = ({ tree }: { readonly tree: { readonly root: Uint8Array } }): Uint8Array => tree.root;
  const card: InfluenceCard = {
    ...SHAPE,
    datanetId: 1n,
    snapshotCount: 1n,
    extractor: new Uint8Array(32),
    base: new Uint8Array(32),
    groups: 1,
    lambda: 2 ** 18,
    gradientBound: 0,
    solutionBound: 2 ** 26,
    topExamples: 64,
    topGroups: 64,
    roots: {
      weights: rootOf(trees.weights),
      examples: rootOf(trees.examples),
      residuals: rootOf(trees.residuals),
      sums: rootOf(trees.sums),
      groups: rootOf(trees.groups),
    },
  };
  const claim: InfluenceClaim = {
    card: new Uint8Array(32),
    query: { features: feature, offsets, label: 0, logits },
    solutionBits: 20,
    bound: 0,
    roots: { solution: rootOf(solution), effects: rootOf(effects), sums: rootOf(sums) },
    total: 0,
    examples: [{ index: 1, score: 1 }],
    groups: [{ group: 0, contributionId: 1n, weight: 1 }],
  };
  return { card: { card, ...trees }, claim: { claim, solution, effects, sums } };
}

/** Rules about sums once at the bottom and once above. */
function placesOf(rule: string): readonly number[] {
  return rule === 'sum' ? [0, sumLevels(EXAMPLES)[0] ?? 0] : [0];
}

/** Every rule of cards and claims. */
export function headEvidence(): readonly EvidenceCase[] {
  const pair = largestAdapter();
  const { card } = pair.card;
  const { claim } = pair.claim;
  const chain = { holds: () => true };
  const cardRules = Object.keys(CARD_RULES) as CardRule[];
  const claimRules = Object.keys(CLAIM_RULES) as ClaimRule[];
  const ofCard = cardRules.flatMap((rule) =>
    placesOf(rule).map((index): EvidenceCase => {
      const proof = encodeCardFraud(openCardFraud(pair.card, rule, { index }));
      const check = (): unknown => refusalOr(() => verifyCardFraud(card, decodeCardFraud(proof), chain));
      const work = workOfInfluenceFraud(decodeCardFraud(proof));
      return { name: `card ${rule} ${index}`, bytes: proof.length, work, check };
    }),
  );
  const ofClaim = claimRules.flatMap((rule) =>
    placesOf(rule).map((index): EvidenceCase => {
      const proof = encodeClaimFraud(openClaimFraud(pair, rule, { index }));
      const check = (): unknown =>
        refusalOr(() => verifyClaimFraud({ card, claim }, decodeClaimFraud(proof)));
      const work = workOfInfluenceFraud(decodeClaimFraud(proof));
      return { name: `claim ${rule} ${index}`, bytes: proof.length, work, check };
    }),
  );
  return [...ofCard, ...ofClaim, ...influencePieces(pair)];
}
