/**
 * The message that convicts a card or a claim: a rule, where it is broken, and the leaves that show it. Which
 * leaves of which trees an opening holds follows from the rule, the index and the coordinate, so it is not
 * written.
 *
 * `u8 rule, u32 index, u32 coordinate, u8 openings`, for each opening `u8 leaves`, for each leaf `u16 length`
 * and its bytes, then `u16 hashes` and 32 bytes each. What a rule does not use is 0.
 */
import { DecodeError } from '../../../../core/errors.ts';
import { HASH_BYTES } from '../../../../core/hash.ts';
import { type CommittedTree, verifyOpening } from '../tree.ts';
import { FIXED_WORK, sumOfWork, type Work, workOfOpening } from '../work.ts';
import { BinaryReader, BinaryWriter } from './binary.ts';

/** Ways in which a card can be wrong, with their numbers. */
export const CARD_RULES = {
  'malformed-weights': 1,
  'malformed-example': 2,
  'malformed-residual': 3,
  'malformed-node': 4,
  'malformed-coordinates': 5,
  'malformed-group': 6,
  order: 7,
  logit: 8,
  residual: 9,
  sum: 10,
  bound: 11,
  group: 12,
  stranger: 13,
} as const;

/** Ways in which a claim can be wrong, with their numbers. */
export const CLAIM_RULES = {
  'malformed-solution': 32,
  'malformed-effect': 33,
  'malformed-node': 34,
  'malformed-coordinates': 35,
  'query-logit': 36,
  response: 37,
  curvature: 38,
  score: 39,
  weights: 40,
  sum: 41,
  bound: 42,
  'listed-example': 43,
  'omitted-example': 44,
  'listed-group': 45,
  'omitted-group': 46,
  total: 47,
} as const;

/** A way in which a card can be wrong. */
export type CardRule = keyof typeof CARD_RULES;

/** A way in which a claim can be wrong. */
export type ClaimRule = keyof typeof CLAIM_RULES;

/** Leaves and the hashes that lead to the root, 32 bytes each, one after another. */
export interface OpenedLeaves {
  readonly leaves: readonly Uint8Array[];
  readonly hashes: Uint8Array;
}

/** A broken rule and what shows it. */
export interface InfluenceFraud<Rule extends string> {
  readonly rule: Rule;
  readonly index: number;
  readonly coordinate: number;
  readonly openings: readonly OpenedLeaves[];
}

/** What convicts a card. */
export type CardFraud = InfluenceFraud<CardRule>;

/** What convicts a claim. */
export type ClaimFraud = InfluenceFraud<ClaimRule>;

/** Longest encoding of a fraud. */
export const INFLUENCE_FRAUD_BYTES_MAX: number = 64 * 1024;

/**
 * What a fraud takes at most beside one malformed leaf: its head, the node that coordinates hang below, and
 * the ways of both to their roots, in trees of 2^32 leaves.
 */
const BESIDE_LEAF_BYTES = 10 + 2 * (5 + 32 * HASH_BYTES) + 33;

/** Longest leaf that a fraud can show. A longer one can be opened nowhere, so nobody can serve it. */
export const SHOWN_INFLUENCE_LEAF_BYTES_MAX: number = INFLUENCE_FRAUD_BYTES_MAX - BESIDE_LEAF_BYTES;

/** Most openings: the tree of nodes and the coordinates of a node and its 8 children. */
const OPENINGS_MAX = 10;
const LEAVES_MAX = 9;
const HASHES_MAX = 512;

/** The encoding of a fraud. */
export function encodeCardFraud(fraud: CardFraud): Uint8Array {
  return encode(CARD_RULES[fraud.rule], fraud);
}

/** The encoding of a fraud. */
export function encodeClaimFraud(fraud: ClaimFraud): Uint8Array {
  return encode(CLAIM_RULES[fraud.rule], fraud);
}

/** @throws DecodeError when the bytes are none */
export function decodeCardFraud(bytes: Uint8Array): CardFraud {
  return decode(bytes, CARD_RULE_NAMES);
}

/** @throws DecodeError when the bytes are none */
export function decodeClaimFraud(bytes: Uint8Array): ClaimFraud {
  return decode(bytes, CLAIM_RULE_NAMES);
}

const CARD_RULE_NAMES = namesOf<CardRule>(CARD_RULES);
const CLAIM_RULE_NAMES = namesOf<ClaimRule>(CLAIM_RULES);

function namesOf<Rule extends string>(rules: Readonly<Record<Rule, number>>): ReadonlyMap<number, Rule> {
  const names = new Map<number, Rule>();
  const known: readonly string[] = Object.keys(rules);
  const isRule = (name: string): name is Rule => known.includes(name);
  for (const name of known) if (isRule(name)) names.set(rules[name], name);
  return names;
}

function encode(rule: number, fraud: InfluenceFraud<string>): Uint8Array {
  const writer = new BinaryWriter().u8(rule).u32(fraud.index).u32(fraud.coordinate);
  writer.u8(fraud.openings.length);
  for (const { leaves, hashes } of fraud.openings) {
    writer.u8(leaves.length);
    for (const leaf of leaves) writer.u16(leaf.length).bytes(leaf);
    writer.u16(hashes.length / HASH_BYTES).bytes(hashes);
  }
  return writer.end();
}

function decode<Rule extends string>(
  bytes: Uint8Array,
  names: ReadonlyMap<number, Rule>,
): InfluenceFraud<Rule> {
  if (bytes.length > INFLUENCE_FRAUD_BYTES_MAX)
    throw new DecodeError(`influence fraud of ${bytes.length} bytes`, { most: INFLUENCE_FRAUD_BYTES_MAX });
  const reader = new BinaryReader(bytes, 'influence fraud');
  const number = reader.u8();
  const rule = names.get(number);
  if (rule === undefined) throw new DecodeError(`influence fraud: no rule ${number}`);
  const index = reader.u32();
  const coordinate = reader.u32();
  const openings = reader.list(atMost(reader.u8(), OPENINGS_MAX, 'openings'), (r) => {
    const leaves = r.list(atMost(r.u8(), LEAVES_MAX, 'leaves'), (each) => each.bytes(each.u16()));
    return { leaves, hashes: r.bytes(HASH_BYTES * atMost(r.u16(), HASHES_MAX, 'hashes')) };
  });
  reader.end();
  return { rule, index, coordinate, openings };
}

function atMost(count: number, most: number, what: string): number {
  if (count > most) throw new DecodeError(`influence fraud: ${count} ${what}; at most ${most} can be`);
  return count;
}

/** Every number of a leaf is read, and most are multiplied or summed: so many bytes of work for one of a leaf. */
const LEAF_STEPS = 4;

/** Work of checking a fraud of a card or a claim. */
export function workOfInfluenceFraud({ openings }: InfluenceFraud<string>): Work {
  const opened = openings.map(({ leaves, hashes }) => {
    const leafBytes = leaves.reduce((sum, leaf) => sum + leaf.length, 0);
    const shape = { leafBytes: (1 + LEAF_STEPS) * leafBytes, hashes: hashes.length / HASH_BYTES };
    return workOfOpening({ leaves: leaves.length, ...shape });
  });
  return sumOfWork([FIXED_WORK, ...opened]);
}

/** Takes a fraud's openings one by one, each checked against the tree that a rule says. */
export class FraudOpenings {
  readonly #openings: readonly OpenedLeaves[];
  #next = 0;

  constructor(openings: readonly OpenedLeaves[]) {
    this.#openings = openings;
  }

  /**
   * Leaves at these places.
   * @throws DecodeError when the next opening is not of them
   */
  take(tree: CommittedTree, indices: readonly number[]): readonly Uint8Array[] {
    const opening = this.#openings[this.#next++];
    if (opening === undefined) return refuse('an opening is missing');
    if (!verifyOpening(tree, { indices, ...opening })) return refuse(`opening ${this.#next} leads elsewhere`);
    return opening.leaves;
  }

  /** The one leaf at this place. */
  takeOne(tree: CommittedTree, index: number): Uint8Array {
    const [leaf] = this.take(tree, [index]);
    return leaf ?? refuse('an opening without a leaf');
  }

  /** @throws DecodeError when openings are left */
  end(): void {
    if (this.#next !== this.#openings.length) refuse('an opening too many');
  }
}

/** @throws DecodeError always: the fraud shows nothing */
export function refuse(why: string): never {
  throw new DecodeError(`influence fraud: ${why}`);
}

/** A decoded leaf. @throws DecodeError when it was malformed, for which there is a rule of its own */
export function wellFormed<T>(leaf: T | undefined): T {
  return leaf ?? refuse('an opened leaf is malformed: convict it of that');
}

/** The opened leaf must differ from what it should be. @throws DecodeError when there is no fraud */
export function convictUnless(holds: boolean): void {
  if (holds) refuse('the rule holds here');
}
