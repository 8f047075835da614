/**
 * Judges a published model card. Weights and examples have to be had from somebody; all else follows from
 * them, so it is fetched only where the roots differ. What nobody serves is to be demanded on the chain.
 */
import { equalBytes, toHex } from '../../core/bytes.ts';
import { coordinates } from '../../modules/attribution/proof/influence/bounds.ts';
import { cardId, type InfluenceCard } from '../../modules/attribution/proof/influence/card.ts';
import { type CardChain, verifyCardFraud } from '../../modules/attribution/proof/influence/card-fraud.ts';
import { cardTree } from '../../modules/attribution/proof/influence/committed.ts';
import {
  type CardFraud,
  type CardRule,
  decodeCardFraud,
  encodeCardFraud,
} from '../../modules/attribution/proof/influence/fraud.ts';
import {
  decodeExample,
  decodeResidual,
  decodeRow,
  encodeGroup,
  leafBytes,
} from '../../modules/attribution/proof/influence/leaves.ts';
import { sumNodes } from '../../modules/attribution/proof/influence/sum-tree.ts';
import { groupsOf, residualLeaves } from '../influence/certificate.ts';
import { decodeAll, findCardFraud, findKnownCardFraud } from '../influence/convict-card.ts';
import { openCardFraud } from '../influence/open-fraud.ts';
import { type KnownCard, type ServedCard, servedTree, type ServedTree } from '../influence/published.ts';
import { headOfCard } from '../influence/served-head.ts';
import { nodeSums, sumsOfNodes } from '../influence/sums.ts';
import type { TrainedHead } from '../influence/train.ts';
import { type InfluenceFinding, openLeaf, opensSums, unlessMissing } from './influence-finding.ts';
import {
  askForFirst,
  type LeafSources,
  requireAll,
  treeBehind,
  type TreeBehind,
  wrongSum,
} from './influence-leaves.ts';
import type { InfluenceDemand, Publisher } from './ports.ts';

/** What a watcher finds of a card. */
export type CardVerdict =
  | InfluenceFinding
  | { readonly kind: 'right'; readonly served: ServedCard }
  /** More than this watcher has room for. */
  | { readonly kind: 'too-large'; readonly reason: string };

/** What a card is judged by. */
export interface CardCase {
  readonly card: InfluenceCard;
  readonly chain: CardChain;
  readonly publishers: readonly Publisher[];
  readonly demands: readonly InfluenceDemand[];
}

/** Coordinates of all nodes of a tree of sums that are held in memory: some 400 MB of leaves. */
const COORDINATES_MAX = 2 ** 24;

/** Bytes of a card's leaves without its sums. */
const LEAVES_BYTES_MAX = 2 ** 28;

/** Judges a card. */
export async function judgeCard(case_: CardCase): Promise<CardVerdict> {
  const { card, publishers, demands } = case_;
  const reason = whyTooLarge(card);
  if (reason !== undefined) return { kind: 'too-large', reason };
  const key = toHex(cardId(card));
  return await unlessMissing(judged(case_, { of: 'cards', key, shape: card, publishers, demands }));
}

function whyTooLarge(card: InfluenceCard): string | undefined {
  const { examples } = card;
  const sums = coordinates(card) * sumNodes(examples);
  const bytes =
    examples * (leafBytes(card, 'examples') + leafBytes(card, 'residuals') + leafBytes(card, 'effects'));
  if (sums <= COORDINATES_MAX && bytes <= LEAVES_BYTES_MAX) return undefined;
  return `${examples} examples of ${card.features} features in ${card.classes} classes: sums of ${sums} coordinates`;
}

async function judged(case_: CardCase, sources: LeafSources): Promise<CardVerdict> {
  const { card, chain } = case_;
  const have = (tree: CardTree, own?: readonly Uint8Array[], from = sources): Promise<TreeBehind> =>
    treeBehind(cardTree(card, tree), { tree, own }, from);
  const weights = await have('weights');
  const examples = await have('examples');
  const isWhole = weights.leaves !== undefined && examples.leaves !== undefined;
  if (!isWhole) {
    // What follows from them is not computed yet; but what the chain has shown of it may convict.
    const shown = { ...sources, publishers: [] };
    const residuals = await have('residuals', undefined, shown);
    const groups = await have('groups', undefined, shown);
    const fraud = findKnownCardFraud(knownOf(card, { weights, examples, residuals, groups }), chain);
    if (fraud !== undefined) return wrong(case_, fraud);
    const missing = [weights, examples].filter(({ leaves }) => leaves === undefined);
    return askForFirst(missing, [residuals, groups], sources);
  }
  const trees = {
    weights: servedTree('weights', requireAll(weights, sources)),
    examples: servedTree('examples', requireAll(examples, sources)),
  };
  const unreadable =
    malformed('malformed-weights', trees.weights, (leaf) => decodeRow('weights', leaf, card)) ??
    malformed('malformed-example', trees.examples, (leaf) => decodeExample(leaf, card));
  if (unreadable !== undefined) return wrong(case_, unreadable);
  const head = headOfCard({ card, ...trees });
  const residuals = await have('residuals', residualLeaves(head));
  const groups = await have('groups', groupsOf(head.set).map(encodeGroup));
  const missing = [residuals, groups].find(({ leaves }) => leaves === undefined);
  if (missing !== undefined) {
    const fraud = findKnownCardFraud(knownOf(card, { weights, examples, residuals, groups }), chain);
    if (fraud !== undefined) return wrong(case_, fraud);
    requireAll(missing, sources);
  }
  return await judgedWithSums(case_, { ...trees, residuals, groups, head }, sources);
}

interface CardParts {
  readonly weights: ServedTree;
  readonly examples: ServedTree;
  readonly residuals: TreeBehind;
  readonly groups: TreeBehind;
  readonly head: TrainedHead;
}

async function judgedWithSums(
  case_: CardCase,
  { weights, examples, head, ...behind }: CardParts,
  sources: LeafSources,
): Promise<CardVerdict> {
  const { card, chain } = case_;
  const residuals = servedTree('residuals', requireAll(behind.residuals, sources));
  const groups = servedTree('groups', requireAll(behind.groups, sources));
  const decoded = decodeAll(residuals, (leaf) => decodeResidual(leaf, card));
  if (decoded.malformed !== undefined)
    return wrong(case_, openLeaf('malformed-residual', residuals, decoded.malformed));
  const factors = Float64Array.from(decoded.decoded.flatMap(({ residual }) => Array.from(residual)));
  const expected = sumsOfNodes(card, nodeSums(head.set, head.rows, factors));
  const served = { card, weights, examples, residuals, groups, sums: expected };
  const found = findCardFraud(served, chain);
  const sumsAreRight = equalBytes(expected.tree.root, card.roots.sums);
  if (found !== undefined && (sumsAreRight || !opensSums(found.rule))) return wrong(case_, found);
  if (sumsAreRight) return { kind: 'right', served };
  const { sums, ...place } = await wrongSum(cardTree(card, 'sums'), expected, sources);
  return wrong(case_, openCardFraud({ ...served, sums }, place.rule, place));
}

function wrong({ card, chain }: CardCase, fraud: CardFraud): CardVerdict {
  const proof = encodeCardFraud(fraud);
  verifyCardFraud(card, decodeCardFraud(proof), chain);
  return { kind: 'wrong', rule: fraud.rule, proof };
}

function knownOf(card: InfluenceCard, trees: Readonly<Record<CardTree, TreeBehind>>): KnownCard {
  const { weights, examples, residuals, groups } = trees;
  return {
    card,
    weights: weights.known,
    examples: examples.known,
    residuals: residuals.known,
    groups: groups.known,
  };
}

type CardTree = 'weights' | 'examples' | 'residuals' | 'groups';

function malformed(
  rule: CardRule,
  tree: ServedTree,
  decode: (leaf: Uint8Array) => unknown,
): CardFraud | undefined {
  const index = tree.leaves.findIndex((leaf) => decode(leaf) === undefined);
  return index < 0 ? undefined : openLeaf(rule, tree, index);
}
