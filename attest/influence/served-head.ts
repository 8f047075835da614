/** The model again, from the leaves of its card: whoever has the file of a card can ask it. */
import { decodeExample, decodeRow } from '../../modules/attribution/proof/influence/leaves.ts';
import { DecodeError } from '../../core/errors.ts';
import { offsetCount, type Shape } from '../../modules/attribution/proof/influence/bounds.ts';
import { byFeature } from './hessian.ts';
import type { ServedCard, ServedTree } from './published.ts';
import { headOf, type TrainedHead } from './train.ts';
import { sparseRows, type TrainingSet } from './training-set.ts';

/** What of a card its model is made from. */
interface CardLeaves extends Pick<ServedCard, 'card'> {
  readonly weights: Pick<ServedTree, 'leaves'>;
  readonly examples: Pick<ServedTree, 'leaves'>;
}

/** @throws DecodeError when a leaf is malformed */
export function headOfCard({ card, weights, examples }: CardLeaves): TrainedHead {
  const { kind, features, classes } = card;
  const shape: Shape = { kind, features, classes, examples: card.examples };
  const rows = new Float64Array(features * classes);
  for (const [k, leaf] of weights.leaves.entries())
    rows.set(Array.from(decodeRow('weights', leaf, card) ?? malformed(`weights ${k}`)), k * features);
  const decoded = examples.leaves.map((leaf, i) => decodeExample(leaf, card) ?? malformed(`example ${i}`));
  const all = new Uint8Array(features * decoded.length);
  const brings = offsetCount(shape);
  const offsets = new Int32Array(brings * decoded.length);
  for (const [i, example] of decoded.entries()) {
    all.set(example.features, i * features);
    offsets.set(Array.from(example.offsets), i * brings);
  }
  const set: TrainingSet = {
    shape,
    features: all,
    offsets,
    labels: Uint16Array.from(decoded, ({ label }) => label),
    contributions: decoded.map(({ contributionId }) => contributionId),
  };
  return headOf(set, sparseRows(set), { lambda: card.lambda, weights: byFeature(shape, rows) });
}

function malformed(what: string): never {
  throw new DecodeError(`${what} of the card is malformed; openledgerd attest influence verify says more`);
}
