/**
 * Conviction of a model card. Every statement of the card is about a constant number of leaves:
 *
 * | rule | index, coordinate | opened | convicts when |
 * | --- | --- | --- | --- |
 * | malformed-… | leaf; of coordinates: node, leaf | it | it is no leaf of its tree |
 * | order | example i | examples i, i + 1 | contribution ids fall |
 * | logit | example i, class k | example i, residual i, weights k | logit k is not `logitOf` them |
 * | residual | example i | example i, residual i | residuals are not those of the logits and the label |
 * | sum | node, coordinate | sum-fraud.ts | the coordinate is not the sum over the children |
 * | bound | –, coordinate | top node, coordinate, weights | \|G_c / n + λ W_c\| is above the bound |
 * | group | group g | groups g, g + 1 (if any), the first and last example of g | examples are not the group's, or groups are not neighbours in rising order |
 * | stranger | group g | group g | the contribution is not in the snapshot |
 *
 * Examples in order and groups with right ends, one behind the other, from 0 to n, leave no example outside
 * of its group.
 */
import type { InfluenceCard } from './card.ts';
import { cardTree, classAndFeature, takeCoordinate } from './committed.ts';
import { type CardFraud, convictUnless, FraudOpenings, refuse, wellFormed } from './fraud.ts';
import { logitOf, softmaxResidual } from './fixed-point.ts';
import { decodeExample, decodeGroup, decodeResidual, decodeRow } from './leaves.ts';
import { coordinatesHolds, nodeHolds, sumHolds } from './sum-fraud.ts';
import { sumNodes } from './sum-tree.ts';

/** What of the chain a card speaks of. */
export interface CardChain {
  /** True when the contribution is one of the first `snapshotCount` of the Datanet. */
  holds(datanetId: bigint, snapshotCount: bigint, contributionId: bigint): boolean;
}

/**
 * Checks that a fraud convicts a card.
 * @throws DecodeError when it does not, saying why
 */
export function verifyCardFraud(card: InfluenceCard, fraud: CardFraud, chain: CardChain): void {
  const openings = new FraudOpenings(fraud.openings);
  convictUnless(statementHolds(card, fraud, openings, chain));
  openings.end();
}

function statementHolds(
  card: InfluenceCard,
  fraud: CardFraud,
  openings: FraudOpenings,
  chain: CardChain,
): boolean {
  const { index, coordinate } = fraud;
  if (!USES_COORDINATE.includes(fraud.rule) && coordinate !== 0) refuse('a coordinate that means nothing');
  const sums = cardTree(card, 'sums');
  switch (fraud.rule) {
    case 'malformed-weights':
      return wellFormedAt(openings.takeOne(cardTree(card, 'weights'), index), (leaf) =>
        decodeRow('weights', leaf, card),
      );
    case 'malformed-example':
      return wellFormedAt(openings.takeOne(cardTree(card, 'examples'), index), (leaf) =>
        decodeExample(leaf, card),
      );
    case 'malformed-residual':
      return wellFormedAt(openings.takeOne(cardTree(card, 'residuals'), index), (leaf) =>
        decodeResidual(leaf, card),
      );
    case 'malformed-group':
      return wellFormedAt(openings.takeOne(cardTree(card, 'groups'), index), (leaf) =>
        decodeGroup(leaf, card),
      );
    case 'malformed-node':
      return nodeHolds(sums, index, openings);
    case 'malformed-coordinates':
      return coordinatesHolds({ shape: card, sums }, { node: index, leaf: coordinate }, openings);
    case 'order':
      return orderHolds(card, index, openings);
    case 'logit':
      return logitHolds(card, { index, k: coordinate }, openings);
    case 'residual':
      return residualHolds(card, index, openings);
    case 'sum':
      return sumHolds(gradientSum(card), { node: index, coordinate }, openings);
    case 'bound':
      return boundHolds(card, { index, coordinate }, openings);
    case 'group':
      return groupHolds(card, index, openings);
    case 'stranger': {
      const leaf = openings.takeOne(cardTree(card, 'groups'), index);
      const { contributionId } = wellFormed(decodeGroup(leaf, card));
      return chain.holds(card.datanetId, card.snapshotCount, contributionId);
    }
  }
}

const USES_COORDINATE: readonly CardFraud['rule'][] = ['malformed-coordinates', 'logit', 'sum', 'bound'];

function wellFormedAt(leaf: Uint8Array, decode: (leaf: Uint8Array) => unknown): boolean {
  return decode(leaf) !== undefined;
}

function gradientSum(card: InfluenceCard): Parameters<typeof sumHolds>[0] {
  return {
    shape: card,
    sums: cardTree(card, 'sums'),
    examples: cardTree(card, 'examples'),
    factors: cardTree(card, 'residuals'),
    factor: (leaf) => decodeResidual(leaf, card)?.residual,
  };
}

function orderHolds(card: InfluenceCard, index: number, openings: FraudOpenings): boolean {
  const ids = openings
    .take(cardTree(card, 'examples'), [index, index + 1])
    .map((leaf) => wellFormed(decodeExample(leaf, card)).contributionId);
  return (ids[0] ?? 0n) <= (ids[1] ?? 0n);
}

function logitHolds(
  card: InfluenceCard,
  { index, k }: { readonly index: number; readonly k: number },
  openings: FraudOpenings,
): boolean {
  const example = wellFormed(decodeExample(openings.takeOne(cardTree(card, 'examples'), index), card));
  const { logits } = wellFormed(decodeResidual(openings.takeOne(cardTree(card, 'residuals'), index), card));
  const row = wellFormed(decodeRow('weights', openings.takeOne(cardTree(card, 'weights'), k), card));
  return logitOf(row, example, k) === logits[k];
}

function residualHolds(card: InfluenceCard, index: number, openings: FraudOpenings): boolean {
  const { label } = wellFormed(decodeExample(openings.takeOne(cardTree(card, 'examples'), index), card));
  const { logits, residual } = wellFormed(
    decodeResidual(openings.takeOne(cardTree(card, 'residuals'), index), card),
  );
  const computed: number[] = [];
  softmaxResidual(logits, label, computed);
  return computed.every((value, k) => value === residual[k]);
}

function boundHolds(
  card: InfluenceCard,
  { index, coordinate }: { readonly index: number; readonly coordinate: number },
  openings: FraudOpenings,
): boolean {
  if (index !== 0) refuse('an index that means nothing');
  const { k, j } = classAndFeature(card, coordinate);
  const node = openings.takeOne(cardTree(card, 'sums'), sumNodes(card.examples) - 1);
  const gradient = takeCoordinate(openings, card, { node, coordinate });
  const row = wellFormed(decodeRow('weights', openings.takeOne(cardTree(card, 'weights'), k), card));
  return withinGradientBound(card, gradient, row[j] ?? 0);
}

/** True when |G_c / n + λ W_c| ≤ gradientBound, all in units of 2^-44 / n. */
export function withinGradientBound(card: InfluenceCard, gradient: number, weight: number): boolean {
  const value = gradientResidual(card, gradient, weight);
  return (value < 0n ? -value : value) <= BigInt(card.gradientBound) * BigInt(card.examples) * 2n ** 12n;
}

/** n · (G_c / n + λ W_c) in units of 2^-44: G_c is in units of 2^-23, λ W_c in units of 2^-44. */
export function gradientResidual(
  card: Pick<InfluenceCard, 'examples' | 'lambda'>,
  gradient: number,
  weight: number,
): bigint {
  return BigInt(gradient) * 2n ** 21n + BigInt(card.examples) * BigInt(card.lambda) * BigInt(weight);
}

function groupHolds(card: InfluenceCard, index: number, openings: FraudOpenings): boolean {
  const last = index === card.groups - 1;
  const leaves = openings.take(cardTree(card, 'groups'), last ? [index] : [index, index + 1]);
  const [group, next] = leaves.map((leaf) => wellFormed(decodeGroup(leaf, card)));
  if (group === undefined) return refuse('no group');
  const { first, count, contributionId } = group;
  const ends = count === 1 ? [first] : [first, first + count - 1];
  const examples = openings.take(cardTree(card, 'examples'), ends);
  const holdsExamples = examples.every(
    (leaf) => wellFormed(decodeExample(leaf, card)).contributionId === contributionId,
  );
  const follows = next === undefined ? card.examples : next.first;
  const begins = index > 0 || first === 0;
  const rises = next === undefined || next.contributionId > contributionId;
  return holdsExamples && begins && rises && first + count === follows;
}
