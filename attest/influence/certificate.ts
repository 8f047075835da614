/** The model card of a trained head or adapter, with everything that its roots commit to. */
import { assert } from '../../core/errors.ts';
import { BOUND_BITS, LAMBDA_BITS } from '../../modules/attribution/proof/influence/bounds.ts';
import type { InfluenceCard } from '../../modules/attribution/proof/influence/card.ts';
import { gradientResidual } from '../../modules/attribution/proof/influence/card-fraud.ts';
import {
  encodeExample,
  encodeGroup,
  encodeResidual,
  encodeRow,
  type GroupLeaf,
} from '../../modules/attribution/proof/influence/leaves.ts';
import { byClass } from './hessian.ts';
import { type ServedCard, servedTree } from './published.ts';
import { nodeSums, sumsOfNodes, topOf } from './sums.ts';
import { inputOf, type TrainingSet } from './training-set.ts';
import type { TrainedHead } from './train.ts';

/** What a card says besides the head. */
export interface CardOptions {
  readonly datanetId: bigint;
  readonly snapshotCount: bigint;
  /** 32 bytes. */
  readonly extractor: Uint8Array;
  /** SHA-256 of the base model, for an adapter and for nothing else: 32 bytes. */
  readonly base?: Uint8Array;
  /**
   * Largest bound of a claim's solution, as a part of the query's gradient, units of 2^-32. Default: 2^-10.
   */
  readonly solutionBound?: number;
  readonly topExamples?: number;
  readonly topGroups?: number;
}

const SOLUTION_BOUND = 2 ** (BOUND_BITS - 10);
const TOP_EXAMPLES = 10;
const TOP_GROUPS = 32;

/** Commits to a head or an adapter. The card's gradient bound is the least that holds. */
export function certify(head: TrainedHead, options: CardOptions): ServedCard {
  const { set, rows, pass } = head;
  const { base = new Uint8Array(0) } = options;
  assert(base.length === (set.shape.kind === 'adapter' ? 32 : 0), 'an adapter, and no head, has a base');
  const nodes = nodeSums(set, rows, pass.residuals);
  const weights = byClass(set.shape, head.weights);
  const trees = {
    weights: servedTree('weights', rowLeaves('weights', set.shape.features, weights)),
    examples: servedTree('examples', exampleLeaves(set)),
    residuals: servedTree('residuals', residualLeaves(head)),
    groups: servedTree('groups', groupsOf(set).map(encodeGroup)),
    sums: sumsOfNodes(set.shape, nodes),
  };
  const card: InfluenceCard = {
    ...set.shape,
    datanetId: options.datanetId,
    snapshotCount: options.snapshotCount,
    extractor: options.extractor,
    base,
    groups: trees.groups.leaves.length,
    lambda: head.lambda,
    gradientBound: leastBound(head, topOf(nodes), weights),
    solutionBound: options.solutionBound ?? SOLUTION_BOUND,
    topExamples: options.topExamples ?? TOP_EXAMPLES,
    topGroups: options.topGroups ?? TOP_GROUPS,
    roots: {
      weights: trees.weights.tree.root,
      examples: trees.examples.tree.root,
      residuals: trees.residuals.tree.root,
      sums: trees.sums.tree.root,
      groups: trees.groups.tree.root,
    },
  };
  return { card, ...trees };
}

/** Rows of weights or of a solution, laid out by class. */
export function rowLeaves(
  tree: 'weights' | 'solution',
  features: number,
  values: Float64Array,
): Uint8Array[] {
  const leaves: Uint8Array[] = [];
  for (let c = 0; c < values.length; c += features)
    leaves.push(encodeRow(tree, values.subarray(c, c + features)));
  return leaves;
}

function exampleLeaves(set: TrainingSet): Uint8Array[] {
  return set.contributions.map((contributionId, i) =>
    encodeExample({ contributionId, label: set.labels[i] ?? 0, ...inputOf(set, i) }),
  );
}

/** What the head makes of each example. */
export function residualLeaves({ set, pass }: TrainedHead): Uint8Array[] {
  const { classes } = set.shape;
  return set.contributions.map((_, i) =>
    encodeResidual({
      logits: pass.logits.subarray(i * classes, (i + 1) * classes),
      residual: pass.residuals.subarray(i * classes, (i + 1) * classes),
    }),
  );
}

/** The runs of examples of one contribution. */
export function groupsOf({ contributions }: TrainingSet): GroupLeaf[] {
  const groups: GroupLeaf[] = [];
  for (const [first, contributionId] of contributions.entries()) {
    const last = groups.at(-1);
    if (last?.contributionId !== contributionId) groups.push({ contributionId, first, count: 1 });
    else groups[groups.length - 1] = { ...last, count: last.count + 1 };
  }
  return groups;
}

/** Least gradient bound that holds for every coordinate, units of 2^-32. */
function leastBound({ set, lambda }: TrainedHead, gradient: Float64Array, weights: Float64Array): number {
  const { examples } = set.shape;
  let most = 0n;
  for (let c = 0; c < gradient.length; c++) {
    const value = gradientResidual({ examples, lambda }, gradient[c] ?? 0, weights[c] ?? 0);
    const size = value < 0n ? -value : value;
    if (size > most) most = size;
  }
  const unit = BigInt(examples) * 2n ** 12n;
  return Number((most + unit - 1n) / unit);
}

/**
 * How far the weights can be from the optimum of the real softmax at most, in the Euclidean norm, by the card
 * alone: √(K F) · (gradient bound + 2^-15) / λ.
 */
export function distanceToOptimum(card: InfluenceCard): number {
  const gradient = card.gradientBound / 2 ** BOUND_BITS + 2 ** -15;
  return (Math.sqrt(card.features * card.classes) * gradient * 2 ** LAMBDA_BITS) / card.lambda;
}
