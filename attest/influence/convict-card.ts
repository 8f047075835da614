/**
 * Finds what is wrong with a published model card. Whoever has the leaves recomputes each statement; the
 * first that does not hold is opened. No other card is needed to compare with: a trainer may choose any
 * weights that are good enough.
 */
import { type CardChain, withinGradientBound } from '../../modules/attribution/proof/influence/card-fraud.ts';
import { logitOf, softmaxResidual } from '../../modules/attribution/proof/influence/fixed-point.ts';
import type { CardFraud, CardRule } from '../../modules/attribution/proof/influence/fraud.ts';
import {
  decodeExample,
  decodeGroup,
  decodeResidual,
  decodeRow,
  type ExampleLeaf,
  type GroupLeaf,
  type ResidualLeaf,
} from '../../modules/attribution/proof/influence/leaves.ts';
import { defined } from '../../core/errors.ts';
import { findSumPlace, topCoordinates } from './convict-sum.ts';
import { openCardFraud } from './open-fraud.ts';
import type { KnownCard, KnownTree, ServedCard, ServedTree } from './published.ts';
import type { Numbers } from '../../modules/attribution/proof/influence/fixed-point.ts';

/** Leaves that are known, decoded, each in its place. */
interface CardLeaves {
  readonly rows: Known<Numbers>;
  readonly examples: Known<ExampleLeaf>;
  readonly residuals: Known<ResidualLeaf>;
  readonly groups: Known<GroupLeaf>;
}

type Known<T> = readonly (T | undefined)[];

/** What convicts the card; undefined when it is right. */
export function findCardFraud(served: ServedCard, chain: CardChain): CardFraud | undefined {
  const { leaves, malformed } = decodedLeaves(served);
  return (
    malformed ?? findInLeaves(served, leaves, chain) ?? findSum(served, leaves) ?? findBound(served, leaves)
  );
}

/** What convicts the card by the leaves that are known, whatever the others and the sums are. */
export function findKnownCardFraud(known: KnownCard, chain: CardChain): CardFraud | undefined {
  const { leaves, malformed } = decodedLeaves(known);
  return malformed ?? findInLeaves(known, leaves, chain);
}

function decodedLeaves(known: KnownCard): {
  readonly leaves: CardLeaves;
  readonly malformed: CardFraud | undefined;
} {
  const { card } = known;
  const rows = decodeKnown(known.weights, (leaf) => decodeRow('weights', leaf, card));
  const examples = decodeKnown(known.examples, (leaf) => decodeExample(leaf, card));
  const residuals = decodeKnown(known.residuals, (leaf) => decodeResidual(leaf, card));
  const groups = decodeKnown(known.groups, (leaf) => decodeGroup(leaf, card));
  const leaves: CardLeaves = {
    rows: rows.decoded,
    examples: examples.decoded,
    residuals: residuals.decoded,
    groups: groups.decoded,
  };
  const malformed: readonly (readonly [CardRule, number | undefined])[] = [
    ['malformed-weights', rows.malformed],
    ['malformed-example', examples.malformed],
    ['malformed-residual', residuals.malformed],
    ['malformed-group', groups.malformed],
  ];
  for (const [rule, index] of malformed)
    if (index !== undefined) return { leaves, malformed: openCardFraud(known, rule, { index }) };
  return { leaves, malformed: undefined };
}

function findInLeaves(known: KnownCard, leaves: CardLeaves, chain: CardChain): CardFraud | undefined {
  return findOrder(known, leaves) ?? findGroup(known, leaves, chain) ?? findResidual(known, leaves);
}

function findSum(served: ServedCard, { examples, residuals }: CardLeaves): CardFraud | undefined {
  const place = findSumPlace({
    shape: served.card,
    sums: served.sums,
    features: examples.map((example) => defined(example, 'example').features),
    vectors: residuals.map((leaf) => defined(leaf, 'residual').residual),
  });
  return place === undefined ? undefined : openCardFraud(served, place.rule, place);
}

/** The leaves that are known, decoded, or the place of the first that is malformed. */
export function decodeKnown<T>(
  tree: KnownTree,
  decode: (leaf: Uint8Array) => T | undefined,
): { readonly decoded: readonly (T | undefined)[]; readonly malformed: number | undefined } {
  const decoded: (T | undefined)[] = [];
  for (const [index, leaf] of tree.leaves.entries()) {
    const value = leaf && decode(leaf);
    if (leaf !== undefined && value === undefined) return { decoded, malformed: index };
    decoded.push(value);
  }
  return { decoded, malformed: undefined };
}

/** All leaves decoded, or the place of the first that is malformed. */
export function decodeAll<T>(
  tree: ServedTree,
  decode: (leaf: Uint8Array) => T | undefined,
): { readonly decoded: readonly T[]; readonly malformed: number | undefined } {
  const decoded: T[] = [];
  for (const [index, leaf] of tree.leaves.entries()) {
    const value = decode(leaf);
    if (value === undefined) return { decoded, malformed: index };
    decoded.push(value);
  }
  return { decoded, malformed: undefined };
}

function findOrder(known: KnownCard, { examples }: CardLeaves): CardFraud | undefined {
  const index = examples.findIndex((example, i) => {
    const next = examples[i + 1];
    return example !== undefined && next !== undefined && example.contributionId > next.contributionId;
  });
  return index < 0 ? undefined : openCardFraud(known, 'order', { index });
}

function findGroup(known: KnownCard, leaves: CardLeaves, chain: CardChain): CardFraud | undefined {
  const { card } = known;
  for (const [index, group] of leaves.groups.entries()) {
    if (group === undefined) continue;
    if (!chain.holds(card.datanetId, card.snapshotCount, group.contributionId))
      return openCardFraud(known, 'stranger', { index });
    if (isRightGroup(card, leaves, index) === false) return openCardFraud(known, 'group', { index });
  }
  return undefined;
}

/** Undefined when it cannot be told by the leaves that are known. */
function isRightGroup(
  { examples, groups }: KnownCard['card'],
  leaves: CardLeaves,
  index: number,
): boolean | undefined {
  const group = leaves.groups[index];
  const next = leaves.groups[index + 1];
  if (group === undefined || (next === undefined && index < groups - 1)) return undefined;
  const { contributionId, first, count } = group;
  const ends = [leaves.examples[first], leaves.examples[first + count - 1]];
  if (ends.includes(undefined)) return undefined;
  return (
    ends.every((end) => end?.contributionId === contributionId) &&
    (index > 0 || first === 0) &&
    first + count === (next?.first ?? examples) &&
    (next === undefined || next.contributionId > contributionId)
  );
}

function findResidual(known: KnownCard, leaves: CardLeaves): CardFraud | undefined {
  const computed: number[] = [];
  for (const [index, example] of leaves.examples.entries()) {
    const stated = leaves.residuals[index];
    if (example === undefined || stated === undefined) continue;
    const { logits, residual } = stated;
    const k = leaves.rows.findIndex((row, at) => row && logitOf(row, example, at) !== logits[at]);
    if (k >= 0) return openCardFraud(known, 'logit', { index, coordinate: k });
    softmaxResidual(logits, example.label, computed);
    if (computed.some((value, at) => value !== residual[at]))
      return openCardFraud(known, 'residual', { index });
  }
  return undefined;
}

function findBound(served: ServedCard, { rows }: CardLeaves): CardFraud | undefined {
  const { card } = served;
  const coordinate = topCoordinates(card, served.sums).findIndex((gradient, c) => {
    const k = Math.floor(c / card.features);
    return !withinGradientBound(card, gradient, rows[k]?.[c - k * card.features] ?? 0);
  });
  return coordinate < 0 ? undefined : openCardFraud(served, 'bound', { coordinate });
}
