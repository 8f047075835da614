/**
 * Leaves of the trees of influence. Each begins with its tree's kind; integers are big-endian, K classes and
 * F features by the card.
 *
 * | kind | tree | leaf i after the kind |
 * | --- | --- | --- |
 * | 16 | weights | row of class i: F × i32, at most `WEIGHT_MAX` in absolute value |
 * | 17 | examples | u64 contribution id, u16 label, F × u8, the last 255; of an adapter K × i32 offsets |
 * | 18 | residuals | of example i: K × i64 logits, K × i16 residuals |
 * | 19 | sums | 32 bytes: committed root of a node's coordinates (sum-tree.ts) |
 * | 20 | coordinates | coordinates 8 i … of a node, at most 8: i64 each |
 * | 21 | groups | u64 contribution id, u32 first example, u32 examples, not 0 |
 * | 22 | solution | row of class i: F × i32, at most `solutionMax` in absolute value |
 * | 23 | effects | of example i: K × i64 response, K × i64 curvature, i64 score, i64 sum of weights so far |
 *
 * Decoders return undefined for bytes that are no leaf: a committed leaf of that sort convicts whoever
 * committed.
 */
import { INFLUENCE_TREES, type InfluenceTree } from './trees.ts';
import { getInt64, setInt64, viewOf } from './binary.ts';
import { FEATURE_MAX, offsetCount, type Shape, solutionMax, WEIGHT_MAX } from './bounds.ts';
import type { ModelInput, Numbers } from './fixed-point.ts';

/** Coordinates that a leaf of the coordinate tree holds. */
export const LEAF_COORDINATES = 8;

/** An example as committed. */
export interface ExampleLeaf extends ModelInput {
  readonly contributionId: bigint;
  readonly label: number;
}

/** What the model makes of an example. */
export interface ResidualLeaf {
  /** K integers in units of 2^-28. */
  readonly logits: Numbers;
  /** K integers in units of 2^-15. */
  readonly residual: Numbers;
}

/** The examples of one contribution, which are neighbours. */
export interface GroupLeaf {
  readonly contributionId: bigint;
  readonly first: number;
  readonly count: number;
}

/** What a query makes of an example. */
export interface EffectLeaf {
  /** Solution · features, K integers. */
  readonly response: Numbers;
  readonly curvature: Numbers;
  readonly score: number;
  /** Weights of the examples up to and with this one. */
  readonly weights: number;
}

function leafOf(tree: InfluenceTree, length: number): { readonly leaf: Uint8Array; readonly view: DataView } {
  const leaf = new Uint8Array(1 + length);
  leaf[0] = INFLUENCE_TREES[tree];
  return { leaf, view: viewOf(leaf) };
}

function opened(tree: InfluenceTree, leaf: Uint8Array, length: number): DataView | undefined {
  return leaf.length === 1 + length && leaf[0] === INFLUENCE_TREES[tree] ? viewOf(leaf) : undefined;
}

/** A row of the weights or of a solution: integers of 32 bits. */
export function encodeRow(tree: 'weights' | 'solution', row: Numbers): Uint8Array {
  const { leaf, view } = leafOf(tree, 4 * row.length);
  writeInt32s(view, 1, row);
  return leaf;
}

/** The opposite of `encodeRow`. */
export function decodeRow(tree: 'weights' | 'solution', leaf: Uint8Array, shape: Shape): Numbers | undefined {
  const view = opened(tree, leaf, 4 * shape.features);
  if (view === undefined) return undefined;
  const most = tree === 'weights' ? WEIGHT_MAX : solutionMax(shape);
  const row = readInt32s(view, 1, shape.features);
  return row.every((value) => Math.abs(value) <= most) ? row : undefined;
}

/** An example. */
export function encodeExample({ contributionId, label, features, offsets }: ExampleLeaf): Uint8Array {
  const { leaf, view } = leafOf('examples', 10 + features.length + 4 * offsets.length);
  view.setBigUint64(1, contributionId);
  view.setUint16(9, label);
  leaf.set(features, 11);
  writeInt32s(view, 11 + features.length, offsets);
  return leaf;
}

/** The opposite of `encodeExample`. */
export function decodeExample(leaf: Uint8Array, shape: Shape): ExampleLeaf | undefined {
  const count = offsetCount(shape);
  const view = opened('examples', leaf, 10 + shape.features + 4 * count);
  if (view === undefined) return undefined;
  const label = view.getUint16(9);
  const end = 11 + shape.features;
  if (label >= shape.classes || leaf[end - 1] !== FEATURE_MAX) return undefined;
  const offsets = readInt32s(view, end, count);
  return { contributionId: view.getBigUint64(1), label, features: leaf.slice(11, end), offsets };
}

/** Logits and residuals of an example. */
export function encodeResidual({ logits, residual }: ResidualLeaf): Uint8Array {
  const classes = logits.length;
  const { leaf, view } = leafOf('residuals', 10 * classes);
  writeInt64s(view, 1, logits);
  for (let k = 0; k < classes; k++) view.setInt16(1 + 8 * classes + 2 * k, residual[k] ?? 0);
  return leaf;
}

/** The opposite of `encodeResidual`. */
export function decodeResidual(leaf: Uint8Array, { classes }: Shape): ResidualLeaf | undefined {
  const view = opened('residuals', leaf, 10 * classes);
  if (view === undefined) return undefined;
  const logits = readInt64s(view, 1, classes);
  const residual = Array.from({ length: classes }, (_, k) => view.getInt16(1 + 8 * classes + 2 * k));
  return logits === undefined ? undefined : { logits, residual };
}

/** A node of a sum tree, by the committed root of its coordinates. */
export function encodeNode(root: Uint8Array): Uint8Array {
  const { leaf } = leafOf('sums', root.length);
  leaf.set(root, 1);
  return leaf;
}

/** The opposite of `encodeNode`. */
export function decodeNode(leaf: Uint8Array): Uint8Array | undefined {
  return opened('sums', leaf, 32) === undefined ? undefined : leaf.slice(1);
}

/** A leaf of a node's coordinates. */
export function encodeCoordinates(values: Numbers): Uint8Array {
  const { leaf, view } = leafOf('coordinates', 8 * values.length);
  writeInt64s(view, 1, values);
  return leaf;
}

/** The opposite of `encodeCoordinates`. */
export function decodeCoordinates(leaf: Uint8Array, count: number): Numbers | undefined {
  const view = opened('coordinates', leaf, 8 * count);
  return view === undefined ? undefined : readInt64s(view, 1, count);
}

/** The examples of a contribution. */
export function encodeGroup({ contributionId, first, count }: GroupLeaf): Uint8Array {
  const { leaf, view } = leafOf('groups', 16);
  view.setBigUint64(1, contributionId);
  view.setUint32(9, first);
  view.setUint32(13, count);
  return leaf;
}

/** The opposite of `encodeGroup`. */
export function decodeGroup(leaf: Uint8Array, { examples }: Shape): GroupLeaf | undefined {
  const view = opened('groups', leaf, 16);
  if (view === undefined) return undefined;
  const first = view.getUint32(9);
  const count = view.getUint32(13);
  if (count === 0 || first + count > examples) return undefined;
  return { contributionId: view.getBigUint64(1), first, count };
}

/** What a query makes of an example. */
export function encodeEffect({ response, curvature, score, weights }: EffectLeaf): Uint8Array {
  const classes = response.length;
  const { leaf, view } = leafOf('effects', 16 * classes + 16);
  writeInt64s(view, 1, response);
  writeInt64s(view, 1 + 8 * classes, curvature);
  setInt64(view, 1 + 16 * classes, score);
  setInt64(view, 9 + 16 * classes, weights);
  return leaf;
}

/** The opposite of `encodeEffect`. */
export function decodeEffect(leaf: Uint8Array, { classes }: Shape): EffectLeaf | undefined {
  const view = opened('effects', leaf, 16 * classes + 16);
  if (view === undefined) return undefined;
  const response = readInt64s(view, 1, classes);
  const curvature = readInt64s(view, 1 + 8 * classes, classes);
  const score = getInt64(view, 1 + 16 * classes);
  const weights = getInt64(view, 9 + 16 * classes);
  if (response === undefined || curvature === undefined) return undefined;
  if (score === undefined || weights === undefined || weights < 0) return undefined;
  return { response, curvature, score, weights };
}

function writeInt32s(view: DataView, offset: number, values: Numbers): void {
  for (let i = 0; i < values.length; i++) view.setInt32(offset + 4 * i, values[i] ?? 0);
}

function readInt32s(view: DataView, offset: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => view.getInt32(offset + 4 * i));
}

function writeInt64s(view: DataView, offset: number, values: Numbers): void {
  for (let i = 0; i < values.length; i++) setInt64(view, offset + 8 * i, values[i] ?? 0);
}

function readInt64s(view: DataView, offset: number, count: number): Numbers | undefined {
  const values: number[] = [];
  for (let i = 0; i < count; i++) {
    const value = getInt64(view, offset + 8 * i);
    if (value === undefined) return undefined;
    values.push(value);
  }
  return values;
}

/** Bytes of a leaf; of coordinates the last one of a node may be shorter. */
export function leafBytes(shape: Shape, tree: InfluenceTree): number {
  const { features, classes } = shape;
  switch (tree) {
    case 'weights':
    case 'solution':
      return 1 + 4 * features;
    case 'examples':
      return 11 + features + 4 * offsetCount(shape);
    case 'residuals':
      return 1 + 10 * classes;
    case 'effects':
      return 17 + 16 * classes;
    case 'sums':
      return 33;
    case 'groups':
      return 17;
    case 'coordinates':
      return 1 + 8 * LEAF_COORDINATES;
  }
}
