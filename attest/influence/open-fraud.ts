/**
 * Opens what a rule is about, right or wrong: the tables of card-fraud.ts and claim-fraud.ts, for provers.
 */
import { defined } from '../../core/errors.ts';
import { INFLUENCE_TREES } from '../../modules/attribution/proof/influence/trees.ts';
import { coordinates, type Shape } from '../../modules/attribution/proof/influence/bounds.ts';
import type {
  CardFraud,
  CardRule,
  ClaimFraud,
  ClaimRule,
  OpenedLeaves,
} from '../../modules/attribution/proof/influence/fraud.ts';
import {
  decodeGroup,
  type GroupLeaf,
  LEAF_COORDINATES,
} from '../../modules/attribution/proof/influence/leaves.ts';
import { sumChildren } from '../../modules/attribution/proof/influence/sum-tree.ts';
import {
  openCoordinates,
  openLeaves,
  type KnownCard,
  type KnownClaim,
  type KnownSums,
  type KnownTree,
  type ServedCard,
  type ServedClaim,
} from './published.ts';

/** Where a rule is to be looked at; what a rule does not use is absent. */
export interface FraudPlace {
  readonly index?: number;
  readonly coordinate?: number;
}

/** A claim and the card that it is on, as served. */
export interface ServedPair {
  readonly card: ServedCard;
  readonly claim: ServedClaim;
}

/** A claim of which some leaves are known, and the card that it is on. */
export interface KnownPair {
  readonly card: ServedCard;
  readonly claim: KnownClaim;
}

/** The message that says that a rule is broken at a place of a card. */
export function openCardFraud(served: KnownCard, rule: CardRule, place: FraudPlace): CardFraud {
  const { index = 0, coordinate = 0 } = place;
  return { rule, index, coordinate, openings: cardOpenings(served, rule, { index, coordinate }) };
}

/** The message that says that a rule is broken at a place of a claim. */
export function openClaimFraud(pair: KnownPair, rule: ClaimRule, place: FraudPlace): ClaimFraud {
  const { index = 0, coordinate = 0 } = place;
  return { rule, index, coordinate, openings: claimOpenings(pair, rule, { index, coordinate }) };
}

type Place = Required<FraudPlace>;

/** Where no sums are known: no rule about them can be opened. */
const NO_SUMS: KnownSums = {
  leaves: [],
  coordinates: [],
  tree: {
    kind: INFLUENCE_TREES.sums,
    leaves: 0,
    root: new Uint8Array(0),
    node: (level, index) => defined<Uint8Array>(undefined, `node ${index} of level ${level} of sums`),
  },
};

function cardOpenings(served: KnownCard, rule: CardRule, { index, coordinate }: Place): OpenedLeaves[] {
  const { card, weights, examples, residuals, groups, sums = NO_SUMS } = served;
  const at = (tree: KnownTree): OpenedLeaves => openLeaves(tree, [index]);
  switch (rule) {
    case 'malformed-weights':
      return [at(weights)];
    case 'malformed-example':
      return [at(examples)];
    case 'malformed-residual':
      return [at(residuals)];
    case 'malformed-group':
    case 'stranger':
      return [at(groups)];
    case 'malformed-node':
      return [at(sums)];
    case 'malformed-coordinates':
      return [at(sums), openCoordinates(sums, index, coordinate)];
    case 'order':
      return [openLeaves(examples, [index, index + 1])];
    case 'logit':
      return [at(examples), at(residuals), openLeaves(weights, [coordinate])];
    case 'residual':
      return [at(examples), at(residuals)];
    case 'sum':
      return sumOpenings({ shape: card, sums, examples, factors: residuals }, { index, coordinate });
    case 'bound':
      return [...topOpenings(sums, coordinate), openLeaves(weights, [classOf(card, coordinate)])];
    case 'group': {
      const { first, count } = groupAt(served, index);
      const opened = index === card.groups - 1 ? [index] : [index, index + 1];
      return [openLeaves(groups, opened), openLeaves(examples, ends(first, first + count - 1))];
    }
  }
}

function claimOpenings(pair: KnownPair, rule: ClaimRule, { index, coordinate }: Place): OpenedLeaves[] {
  const { claim, solution, effects, sums = NO_SUMS } = pair.claim;
  const { card, weights, examples, residuals } = pair.card;
  const at = (tree: KnownTree): OpenedLeaves => openLeaves(tree, [index]);
  switch (rule) {
    case 'malformed-solution':
      return [at(solution)];
    case 'malformed-effect':
    case 'omitted-example':
      return [at(effects)];
    case 'malformed-node':
      return [at(sums)];
    case 'malformed-coordinates':
      return [at(sums), openCoordinates(sums, index, coordinate)];
    case 'query-logit':
      return [at(weights)];
    case 'response':
      return [at(examples), at(effects), openLeaves(solution, [coordinate])];
    case 'curvature':
      return [at(examples), at(residuals), at(effects)];
    case 'score':
      return [at(residuals), at(effects)];
    case 'weights':
      return [openLeaves(effects, index === 0 ? [0] : [index - 1, index])];
    case 'sum':
      return sumOpenings({ shape: card, sums, examples, factors: effects }, { index, coordinate });
    case 'bound':
      return [...topOpenings(sums, coordinate), openLeaves(solution, [classOf(card, coordinate)])];
    case 'listed-example':
      return [openLeaves(effects, [claim.examples[index]?.index ?? 0])];
    case 'listed-group':
      return groupOpenings(pair, claim.groups[index]?.group ?? 0);
    case 'omitted-group':
      return groupOpenings(pair, index);
    case 'total':
      return [openLeaves(effects, [card.examples - 1])];
  }
}

function groupOpenings({ card, claim }: KnownPair, index: number): OpenedLeaves[] {
  const { first, count } = groupAt(card, index);
  const last = first + count - 1;
  return [
    openLeaves(card.groups, [index]),
    openLeaves(claim.effects, first === 0 ? [last] : [first - 1, last]),
  ];
}

function groupAt({ card, groups }: KnownCard, index: number): GroupLeaf {
  const nobody = { contributionId: 0n, first: 0, count: 1 };
  return decodeGroup(groups.leaves[index] ?? new Uint8Array(0), card) ?? nobody;
}

function ends(first: number, last: number): number[] {
  return first === last ? [first] : [first, last];
}

function sumOpenings(
  trees: {
    readonly shape: Shape;
    readonly sums: KnownSums;
    readonly examples: KnownTree;
    readonly factors: KnownTree;
  },
  { index, coordinate }: Place,
): OpenedLeaves[] {
  const { shape, sums, examples, factors } = trees;
  const children = sumChildren(shape.examples, index) ?? { of: 'examples', first: 0, end: 0 };
  const below = Array.from({ length: children.end - children.first }, (_, i) => children.first + i);
  const leaf = Math.floor(Math.min(coordinate, coordinates(shape) - 1) / LEAF_COORDINATES);
  if (children.of === 'nodes') {
    const nodes = [...below, index];
    return [openLeaves(sums, nodes), ...nodes.map((node) => openCoordinates(sums, node, leaf))];
  }
  const own = [openLeaves(sums, [index]), openCoordinates(sums, index, leaf)];
  return [...own, openLeaves(examples, below), openLeaves(factors, below)];
}

function topOpenings(sums: KnownSums, coordinate: number): OpenedLeaves[] {
  const top = sums.leaves.length - 1;
  return [openLeaves(sums, [top]), openCoordinates(sums, top, Math.floor(coordinate / LEAF_COORDINATES))];
}

function classOf({ features }: Shape, coordinate: number): number {
  return Math.floor(coordinate / features);
}
