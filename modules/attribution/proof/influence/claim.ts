/**
 * A claim about one query to a model: which examples its answer draws on. The query's features x, offsets b
 * (of an adapter) and answer y give g = (softmax(b + W x) − onehot(y)) ⊗ x; the solution s fulfils H s = g
 * but for `bound`, where H is the Hessian of the training loss; example i has the score s · (δ_i ⊗ x_i),
 * which is n times what the loss of the answer would lose if the example weighed more (Koh and Liang 2017).
 * Positive scores are paid: weight = floor(score / 2^q), summed up along the examples, so that a
 * contribution's weight is the difference of two sums.
 *
 * Stated by a claim, each convicted by one message if false (claim-fraud.ts):
 *
 * - its solution, to the bound;
 * - response, curvature, score and running sum of weights of every example;
 * - the `topExamples` best examples, and that there is no better one;
 * - the `topGroups` contributions with most weight, and that there is none with more;
 * - the total weight.
 */
import { equalBytes } from '../../../../core/bytes.ts';
import { DecodeError } from '../../../../core/errors.ts';
import { HASH_BYTES } from '../../../../core/hash.ts';
import { BinaryReader, BinaryWriter } from './binary.ts';
import { BOUND_BITS, FEATURE_MAX, offsetCount, SOLUTION_BITS_MAX } from './bounds.ts';
import { cardId, hashOf, type InfluenceCard, LISTED_MAX } from './card.ts';
import { type ModelInput, type Numbers, queryResidual } from './fixed-point.ts';
import { kindOfForm, MODEL_FORMS } from './forms.ts';

const DOMAIN = 'openledger/attribution/influence-claim/v1';

/** The query, and what the model makes of it. */
export interface InfluenceQuery extends ModelInput {
  /** The answer: a class. */
  readonly label: number;
  /** K integers in units of 2^-28. */
  readonly logits: Numbers;
}

/** One of the best examples. */
export interface ListedExample {
  readonly index: number;
  readonly score: number;
}

/** A contribution that is paid. */
export interface ListedGroup {
  /** Index of its leaf in the card's tree of groups. */
  readonly group: number;
  readonly contributionId: bigint;
  readonly weight: number;
}

/** A claim. */
export interface InfluenceClaim {
  /** 32 bytes. */
  readonly card: Uint8Array;
  readonly query: InfluenceQuery;
  /** The solution stands for s / 2^e, e from 1 to 40. */
  readonly solutionBits: number;
  /** Units of 2^-32, for each coordinate of H s − g. */
  readonly bound: number;
  readonly roots: ClaimRoots;
  /** Weight of all examples. */
  readonly total: number;
  /** By falling score, then rising index. */
  readonly examples: readonly ListedExample[];
  /** By falling weight, then rising group. */
  readonly groups: readonly ListedGroup[];
}

/** Committed roots of a claim's trees, 32 bytes each. */
export interface ClaimRoots {
  readonly solution: Uint8Array;
  readonly effects: Uint8Array;
  readonly sums: Uint8Array;
}

/** True when example or group `a` comes before `b` in a list: it has more, or as much and a lower index. */
export function ranksBefore(
  a: { readonly amount: number; readonly index: number },
  b: { readonly amount: number; readonly index: number },
): boolean {
  return a.amount > b.amount || (a.amount === b.amount && a.index < b.index);
}

/**
 * Form (forms.ts, u8), card, features and classes (u16 each), the query (features, u16 label, i64 logits, of
 * an adapter i32 offsets), e (u8), bound (u32), roots of solution, effects and sums, total (i64), u8 and the
 * examples (u32 index, i64 score), u8 and the groups (u32 group, u64 contribution id, i64 weight).
 */
export function encodeClaim(claim: InfluenceClaim): Uint8Array {
  const { query, roots } = claim;
  const writer = new BinaryWriter()
    .u8(MODEL_FORMS[query.offsets.length > 0 ? 'adapter' : 'head'])
    .bytes(claim.card)
    .u16(query.features.length)
    .u16(query.logits.length)
    .bytes(query.features)
    .u16(query.label);
  for (let k = 0; k < query.logits.length; k++) writer.i64(query.logits[k] ?? 0);
  for (let k = 0; k < query.offsets.length; k++) writer.i32(query.offsets[k] ?? 0);
  writer.u8(claim.solutionBits).u32(claim.bound);
  writer.bytes(roots.solution).bytes(roots.effects).bytes(roots.sums).i64(claim.total);
  writer.u8(claim.examples.length);
  for (const { index, score } of claim.examples) writer.u32(index).i64(score);
  writer.u8(claim.groups.length);
  for (const { group, contributionId, weight } of claim.groups)
    writer.u32(group).u64(contributionId).i64(weight);
  return writer.end();
}

/**
 * The opposite of `encodeClaim`. What it returns has the right form; `checkClaim` says whether it fits a
 * card.
 * @throws DecodeError for other bytes
 */
export function decodeClaim(bytes: Uint8Array): InfluenceClaim {
  const reader = new BinaryReader(bytes, 'influence claim');
  const kind = kindOfForm(reader.u8(), 'influence claim');
  const card = reader.bytes(HASH_BYTES);
  const features = reader.u16();
  const classes = reader.u16();
  if (kind === 'adapter' && classes === 0) throw new DecodeError('influence claim: an adapter of no classes');
  const query: InfluenceQuery = {
    features: reader.bytes(features),
    label: reader.u16(),
    logits: reader.list(classes, (r) => r.i64()),
    offsets: reader.list(offsetCount({ kind, classes }), (r) => r.i32()),
  };
  const solutionBits = reader.u8();
  const bound = reader.u32();
  const roots: ClaimRoots = {
    solution: reader.bytes(HASH_BYTES),
    effects: reader.bytes(HASH_BYTES),
    sums: reader.bytes(HASH_BYTES),
  };
  const total = reader.i64();
  const examples = reader.list(reader.u8(), (r) => ({ index: r.u32(), score: r.i64() }));
  const groups = reader.list(reader.u8(), (r) => ({
    group: r.u32(),
    contributionId: r.u64(),
    weight: r.i64(),
  }));
  reader.end();
  return { card, query, solutionBits, bound, roots, total, examples, groups };
}

/** What a claim is known by: 32 bytes, SHA-256 over a domain and the encoding. */
export function claimId(claim: InfluenceClaim): Uint8Array {
  return hashOf(DOMAIN, encodeClaim(claim));
}

/**
 * Everything about a claim that needs no opening: sizes, bounds, and lists in order.
 * @throws DecodeError when the claim does not fit the card, or contradicts itself
 */
export function checkClaim(card: InfluenceCard, claim: InfluenceClaim): void {
  const fail = (why: string): never => {
    throw new DecodeError(`influence claim: ${why}`);
  };
  if (!equalBytes(claim.card, cardId(card))) fail('it is for another model card');
  const { solutionBits, bound, total, examples, groups } = claim;
  checkQuery(card, claim.query, fail);
  if (solutionBits < 1 || solutionBits > SOLUTION_BITS_MAX) fail(`a solution of ${solutionBits} bits`);
  const most = boundMax(card, claim.query);
  if (bound > most) fail(`the solution's bound is ${bound}; for this query it is at most ${most}`);
  if (total < 0) fail('a negative total');
  if (examples.length > Math.min(card.topExamples, LISTED_MAX)) fail(`${examples.length} examples`);
  if (groups.length > Math.min(card.topGroups, LISTED_MAX)) fail(`${groups.length} groups`);
  checkList(
    examples.map(({ index, score }) => ({ index, amount: score })),
    card.examples,
    (why) => fail(`examples: ${why}`),
  );
  checkList(
    groups.map(({ group, weight }) => ({ index: group, amount: weight })),
    card.groups,
    (why) => fail(`groups: ${why}`),
  );
  let left = total;
  for (const { weight } of groups) left -= weight;
  if (left < 0) fail('groups weigh more than the total');
}

/**
 * Largest bound that a claim about a query may have: the card's part of the largest coordinate of the
 * gradient (that of the constant feature, which is never 0 beside others), rounded up; 0 when the gradient is
 * 0, so that nothing can be claimed.
 */
export function boundMax({ solutionBound }: InfluenceCard, { logits, label }: InfluenceQuery): number {
  let greatest = 0;
  for (const residual of queryResidual(logits, label)) greatest = Math.max(greatest, Math.abs(residual));
  if (greatest === 0) return 0;
  return Number((BigInt(solutionBound) * BigInt(greatest * FEATURE_MAX)) >> BigInt(BOUND_BITS)) + 1;
}

function checkQuery(card: InfluenceCard, query: InfluenceQuery, fail: (why: string) => never): void {
  const { features, label, logits, offsets } = query;
  if (features.length !== card.features || logits.length !== card.classes) fail('a query of other sizes');
  const brings = offsetCount(card);
  if (offsets.length !== brings) fail(`a query with ${offsets.length} offsets; the model takes ${brings}`);
  if (features.at(-1) !== FEATURE_MAX) fail('the constant feature is not 255');
  if (label >= card.classes) fail(`no class ${label}`);
}

function checkList(
  list: readonly { readonly amount: number; readonly index: number }[],
  count: number,
  fail: (why: string) => never,
): void {
  for (const [i, entry] of list.entries()) {
    const before = list[i - 1];
    if (entry.index >= count) fail(`no index ${entry.index}`);
    if (entry.amount <= 0) fail(`entry ${i} is not positive`);
    if (before !== undefined && !ranksBefore(before, entry)) fail(`entry ${i} is out of order`);
  }
  if (new Set(list.map(({ index }) => index)).size !== list.length) fail('one is listed twice');
}
