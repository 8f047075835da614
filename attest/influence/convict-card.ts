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
import { findSumPlace, topCoordinates } from './convict-sum.ts';
import { openCardFraud } from './open-fraud.ts';
import type { ServedCard, ServedTree } from './published.ts';
import type { Numbers } from '../../modules/attribution/proof/influence/fixed-point.ts';

interface CardLeaves {
  readonly rows: readonly Numbers[];
  readonly examples: readonly ExampleLeaf[];
  readonly residuals: readonly ResidualLeaf[];
  readonly groups: readonly GroupLeaf[];
}

/** What convicts the card; undefined when it is right. */
export function findCardFraud(served: ServedCard, chain: CardChain): CardFraud | undefined {
  const { card } = served;
  const rows = decodeAll(served.weights, (leaf) => decodeRow('weights', leaf, card));
  const examples = decodeAll(served.examples, (leaf) => decodeExample(leaf, card));
  const residuals = decodeAll(served.residuals, (leaf) => decodeResidual(leaf, card));
  const groups = decodeAll(served.groups, (leaf) => decodeGroup(leaf, card));
  const malformed: readonly (readonly [CardRule, number | undefined])[] = [
    ['malformed-weights', rows.malformed],
    ['malformed-example', examples.malformed],
    ['malformed-residual', residuals.malformed],
    ['malformed-group', groups.malformed],
  ];
  for (const [rule, index] of malformed)
    if (index !== undefined) return openCardFraud(served, rule, { index });
  const leaves: CardLeaves = {
    rows: rows.decoded,
    examples: examples.decoded,
    residuals: residuals.decoded,
    groups: groups.decoded,
  };
  return (
    findOrder(served, leaves) ??
    findGroup(served, leaves, chain) ??
    findResidual(served, leaves) ??
    findSum(served, leaves) ??
    findBound(served, leaves)
  );
}

function findSum(served: ServedCard, { examples, residuals }: CardLeaves): CardFraud | undefined {
  const place = findSumPlace({
    shape: served.card,
    sums: served.sums,
    features: examples.map(({ features }) => features),
    vectors: residuals.map(({ residual }) => residual),
  });
  return place === undefined ? undefined : openCardFraud(served, place.rule, place);
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

function findOrder(served: ServedCard, { examples }: CardLeaves): CardFraud | undefined {
  const index = examples.findIndex(
    ({ contributionId }, i) => contributionId > (examples[i + 1]?.contributionId ?? contributionId),
  );
  return index < 0 ? undefined : openCardFraud(served, 'order', { index });
}

function findGroup(served: ServedCard, leaves: CardLeaves, chain: CardChain): CardFraud | undefined {
  const { card } = served;
  for (const [index, { contributionId, first, count }] of leaves.groups.entries()) {
    if (!chain.holds(card.datanetId, card.snapshotCount, contributionId))
      return openCardFraud(served, 'stranger', { index });
    const next = leaves.groups[index + 1];
    const right =
      leaves.examples[first]?.contributionId === contributionId &&
      leaves.examples[first + count - 1]?.contributionId === contributionId &&
      (index > 0 || first === 0) &&
      first + count === (next?.first ?? card.examples) &&
      (next === undefined || next.contributionId > contributionId);
    if (!right) return openCardFraud(served, 'group', { index });
  }
  return undefined;
}

function findResidual(served: ServedCard, leaves: CardLeaves): CardFraud | undefined {
  const computed: number[] = [];
  for (const [index, example] of leaves.examples.entries()) {
    const { logits = [], residual = [] } = leaves.residuals[index] ?? {};
    const k = leaves.rows.findIndex((row, at) => logitOf(row, example, at) !== logits[at]);
    if (k >= 0) return openCardFraud(served, 'logit', { index, coordinate: k });
    softmaxResidual(logits, example.label, computed);
    if (computed.some((value, at) => value !== residual[at]))
      return openCardFraud(served, 'residual', { index });
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
