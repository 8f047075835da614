/**
 * The model card of a softmax head or a linearised adapter with L2 regularisation: what its trainer commits
 * to. With z_i = b_i + W x_i (b_i: logits of the base model, 0 for a head), δ_i = softmax(z_i) − onehot(y_i)
 * and G = Σ δ_i ⊗ x_i it states
 *
 * ```
 * | G_c / n + λ W_c |  ≤  gradientBound / 2^32     for each of the K · F coordinates c
 * ```
 *
 * and each false statement is convicted by one message (card-fraud.ts). The loss is λ-strongly convex, so W
 * is within √(K F) · (gradientBound / 2^32 + ε) / λ of the optimum, where ε ≤ 2^-15 is what rounding
 * residuals adds to a coordinate (|δ error| ≤ 2^-16 and features below 1; at most 2^-15 where one is
 * clamped).
 */
import { DecodeError } from '../../../../core/errors.ts';
import { HASH_BYTES, sha256 } from '../../../../core/hash.ts';
import { BinaryReader, BinaryWriter } from './binary.ts';
import { BOUND_BITS, checkShape, LAMBDA_BITS, type Shape } from './bounds.ts';
import { kindOfForm, MODEL_FORMS } from './forms.ts';

const DOMAIN = 'openledger/attribution/card/v1';

/** Most examples, and most contributions, that a claim lists. */
export const LISTED_MAX = 64;

/** Loosest bound of solutions that a card can allow: a 64th of the gradient. */
export const SOLUTION_BOUND_MAX: number = 2 ** 26;

/** A model card. */
export interface InfluenceCard extends Shape {
  readonly datanetId: bigint;
  /** The first `snapshotCount` contributions of the Datanet are those that examples may come from. */
  readonly snapshotCount: bigint;
  /** SHA-256 of whatever turns a contribution into features: 32 bytes. */
  readonly extractor: Uint8Array;
  /** SHA-256 of the frozen base model that the offsets are logits of: 32 bytes; none for a head. */
  readonly base: Uint8Array;
  /** Contributions that have examples. */
  readonly groups: number;
  /** λ in units of 2^-24, not 0. */
  readonly lambda: number;
  /** Units of 2^-32; at most λ, since a larger one says nothing about the distance to the optimum. */
  readonly gradientBound: number;
  /**
   * Largest bound that a claim may have for its solution, as a part of the largest coordinate of the query's
   * gradient: units of 2^-32, at most 2^26. Without it a claim could state any solution, if only loosely.
   */
  readonly solutionBound: number;
  /** Examples that a claim lists, if so many have a positive score; at most 64. */
  readonly topExamples: number;
  /** Contributions that a claim lists and pays, if so many have a positive weight; 1 to 64. */
  readonly topGroups: number;
  /** Committed roots (proof/tree.ts), 32 bytes each. */
  readonly roots: CardRoots;
}

/** The trees of a card. */
export interface CardRoots {
  readonly weights: Uint8Array;
  readonly examples: Uint8Array;
  readonly residuals: Uint8Array;
  readonly sums: Uint8Array;
  readonly groups: Uint8Array;
}

/**
 * Form (forms.ts, u8), Datanet (u64), snapshot (u64), extractor, of an adapter its base, features (u16),
 * classes (u16), examples, groups, λ, gradient bound, solution bound (u32 each), listed examples, listed
 * groups (u8 each), the five roots.
 */
export function encodeCard(card: InfluenceCard): Uint8Array {
  const { roots } = card;
  return new BinaryWriter()
    .u8(MODEL_FORMS[card.kind])
    .u64(card.datanetId)
    .u64(card.snapshotCount)
    .bytes(card.extractor)
    .bytes(card.base)
    .u16(card.features)
    .u16(card.classes)
    .u32(card.examples)
    .u32(card.groups)
    .u32(card.lambda)
    .u32(card.gradientBound)
    .u32(card.solutionBound)
    .u8(card.topExamples)
    .u8(card.topGroups)
    .bytes(roots.weights)
    .bytes(roots.examples)
    .bytes(roots.residuals)
    .bytes(roots.sums)
    .bytes(roots.groups)
    .end();
}

/**
 * The opposite of `encodeCard`; a card that it returns is valid.
 * @throws DecodeError for other bytes
 */
export function decodeCard(bytes: Uint8Array): InfluenceCard {
  const reader = new BinaryReader(bytes, 'model card');
  const kind = kindOfForm(reader.u8(), 'model card');
  const card: InfluenceCard = {
    kind,
    datanetId: reader.u64(),
    snapshotCount: reader.u64(),
    extractor: reader.bytes(HASH_BYTES),
    base: reader.bytes(kind === 'adapter' ? HASH_BYTES : 0),
    features: reader.u16(),
    classes: reader.u16(),
    examples: reader.u32(),
    groups: reader.u32(),
    lambda: reader.u32(),
    gradientBound: reader.u32(),
    solutionBound: reader.u32(),
    topExamples: reader.u8(),
    topGroups: reader.u8(),
    roots: {
      weights: reader.bytes(HASH_BYTES),
      examples: reader.bytes(HASH_BYTES),
      residuals: reader.bytes(HASH_BYTES),
      sums: reader.bytes(HASH_BYTES),
      groups: reader.bytes(HASH_BYTES),
    },
  };
  reader.end();
  checkCard(card);
  return card;
}

function checkCard(card: InfluenceCard): void {
  checkShape(card);
  const { groups, examples, lambda, gradientBound, solutionBound, topExamples, topGroups } = card;
  if (groups < 1 || groups > examples)
    throw new DecodeError('a card has 1 to n groups', { groups, examples });
  if (lambda === 0) throw new DecodeError('lambda is 0: without regularisation there is no bound');
  if (gradientBound > lambda * 2 ** (BOUND_BITS - LAMBDA_BITS))
    throw new DecodeError('the gradient bound is above lambda: train on', { gradientBound, lambda });
  if (solutionBound > SOLUTION_BOUND_MAX)
    throw new DecodeError('the bound of solutions is above a 64th', { solutionBound });
  if (topExamples > LISTED_MAX || topGroups > LISTED_MAX || topGroups < 1)
    throw new DecodeError(`a claim lists at most ${LISTED_MAX}`, { topExamples, topGroups });
}

/** What a card is known by: 32 bytes, SHA-256 over a domain and the encoding. */
export function cardId(card: InfluenceCard): Uint8Array {
  return hashOf(DOMAIN, encodeCard(card));
}

/** SHA-256 over an ASCII domain and bytes. */
export function hashOf(domain: string, bytes: Uint8Array): Uint8Array {
  const input = new Uint8Array(domain.length + bytes.length);
  for (let i = 0; i < domain.length; i++) input[i] = domain.charCodeAt(i);
  input.set(bytes, domain.length);
  return sha256(input);
}
