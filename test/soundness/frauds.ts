/** Wrong shards are convicted, each by one proof; right ones by none. */
import { convict } from '../../attest/prove/convict.ts';
import { fraudAt, openLeaves } from '../../attest/prove/fraud-at.ts';
import type { ProvableShard } from '../../attest/prove/prove.ts';
import { secretOfShard } from '../../attest/prove/salts.ts';
import { equalBytes } from '../../core/bytes.ts';
import { DecodeError, LedgerError } from '../../core/errors.ts';
import { leafCount, treeOfShard } from '../../modules/attribution/proof/shard/commitment.ts';
import { NO_FRAUD, verifyFraud } from '../../modules/attribution/proof/shard/fraud.ts';
import {
  decodeFraud,
  encodeFraud,
  type FraudStatement,
  OPENS,
  SHOWN_LEAF_BYTES_MAX,
  type ShardFraud,
} from '../../modules/attribution/proof/shard/fraud-format.ts';
import { leafProblem, SALT_BYTES } from '../../modules/attribution/proof/shard/leaves.ts';
import { committedRoot } from '../../modules/attribution/proof/tree.ts';
import type { ShardCommitment } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { mutateBytes } from '../fuzz/mutate-bytes.ts';
import type { Random } from '../fuzz/random.ts';
import { CORRUPTIONS, unshownLeaf } from './corruptions.ts';
import type { ShardCase } from './shards.ts';

const TREES = ['text', 'suffix', 'inverse', 'documents'] as const;

/** One conviction. */
export interface Conviction {
  readonly corruption: string;
  readonly kind: ShardFraud['kind'];
  readonly bytes: number;
  readonly verifyMs: number;
}

/** True when a proof convicts; a refusal has to be one of those that are documented. */
export function convicts(
  commitment: ShardCommitment,
  fraud: ShardFraud,
  { chain }: Pick<ShardCase, 'chain'>,
): boolean {
  try {
    verifyFraud(commitment, fraud, chain);
    return true;
  } catch (error) {
    if (error instanceof DecodeError || (error instanceof LedgerError && error.code === NO_FRAUD))
      return false;
    throw error;
  }
}

function isSame(a: ShardCommitment, b: ShardCommitment): boolean {
  const roots = equalBytes(a.textRoot, b.textRoot) && equalBytes(a.suffixRoot, b.suffixRoot);
  const others = equalBytes(a.inverseRoot, b.inverseRoot) && equalBytes(a.documentRoot, b.documentRoot);
  return roots && others && a.tokens === b.tokens;
}

/**
 * Publishes a wrong shard and convicts it. Undefined when the corruption changed nothing, or what it changed
 * is right too: a shard may or may not have a tombstone for a contribution that was withdrawn.
 * @throws Error when it is not convicted, or the proof convicts the right shard too
 */
export function convictOne(from: ShardCase, random: Random): Conviction | undefined {
  const names = Object.keys(CORRUPTIONS);
  const corruption = names[random.below(names.length)] ?? '';
  const accused = CORRUPTIONS[corruption]?.(from, random);
  if (accused === undefined || isSame(accused.commitment, from.shard.commitment)) return undefined;
  const honest = random.oneIn(2) ? from.shard : from.arrays;
  const secret = random.oneIn(4) ? undefined : secretOf(from);
  const fraud = convict({ honest, accused, content: from.content, secret });
  if (fraud === undefined) {
    if (secret === undefined && differsInSalts(accused, from.shard)) return undefined;
    throw new Error(`${corruption}: no fraud found`);
  }
  const bytes = encodeFraud(fraud);
  const decoded = decodeFraud(bytes);
  const before = performance.now();
  const convicted = convicts(accused.commitment, decoded, from);
  const verifyMs = performance.now() - before;
  if (!convicted && isAllowedTombstone(fraud, from)) return undefined;
  if (!convicted) throw new Error(`${corruption}: ${fraud.kind} does not convict`);
  if (convicts(from.shard.commitment, decoded, from))
    throw new Error(`${corruption}: convicts the right shard`);
  return { corruption, kind: fraud.kind, bytes: bytes.length, verifyMs };
}

/**
 * Publishes a shard with a leaf that no proof can show. Another fraud may convict it; the leaf itself none
 * can, and it is no answer to a request on the chain, since it is malformed. True when that is so.
 */
export function isUnanswerable(from: ShardCase, random: Random): boolean {
  const accused = unshownLeaf(from, random);
  if (accused === undefined) return false;
  const { commitment } = accused;
  const isMalformed = TREES.some((tree) =>
    Array.from({ length: leafCount(commitment, tree) }, (_, index) => accused.leaf(tree, index)).some(
      (bytes, index) =>
        bytes.length > SHOWN_LEAF_BYTES_MAX && leafProblem(commitment, { tree, index, bytes }) !== undefined,
    ),
  );
  const fraud = convict({ honest: from.arrays, accused, content: from.content });
  const shown = fraud === undefined ? undefined : readable(encodeFraud(fraud));
  return isMalformed && (shown === undefined || convicts(commitment, shown, from));
}

/** Of a salted shard. */
function secretOf({ options, shard }: ShardCase): Uint8Array | undefined {
  return options.saltSecret && secretOfShard(options.saltSecret, shard.commitment);
}

/** To who has no secret, leaves may have any salts. */
function differsInSalts(accused: ProvableShard, { commitment, leaf }: ProvableShard): boolean {
  if (!commitment.salted || accused.commitment.tokens !== commitment.tokens) return false;
  const behind = 1 + SALT_BYTES;
  return TREES.every((tree) =>
    Array.from({ length: leafCount(commitment, tree) }, (_, i) =>
      equalBytes(accused.leaf(tree, i).subarray(behind), leaf(tree, i).subarray(behind)),
    ).every(Boolean),
  );
}

function isAllowedTombstone(fraud: ShardFraud, { chain, shard, arrays }: ShardCase): boolean {
  if (fraud.kind !== 'document-record') return false;
  const { datanetId, firstPosition } = shard.commitment;
  const record = chain.recordAt(datanetId, firstPosition + BigInt(fraud.at));
  return record?.accepted === false && arrays.document(fraud.at).contributionId === record.contributionId;
}

const STATEMENTS = Object.keys(OPENS).filter((kind): kind is FraudStatement => kind in OPENS);

/** Every statement at every place of a right shard, every leaf as malformed, every root. How many were tried. */
export function accuseRight(from: ShardCase, random: Random): number {
  let tried = 0;
  const accuse = (fraud: ShardFraud): void => {
    tried++;
    if (convicts(from.shard.commitment, fraud, from)) throw new Error(`${fraud.kind} convicts a right shard`);
    if (!random.oneIn(20)) return;
    const changed = readable(mutateBytes(encodeFraud(fraud), random));
    tried++;
    if (changed !== undefined && convicts(from.shard.commitment, changed, from))
      throw new Error(`a changed ${fraud.kind} convicts a right shard`);
  };
  for (const kind of STATEMENTS)
    for (let at = 0; at <= from.arrays.tokens; at++) {
      const fraud = attempt(() => fraudAt(from.shard, { kind, at }, from.content));
      if (fraud !== undefined) accuse(fraud);
    }
  for (const tree of TREES) {
    const leaves = leafCount(from.shard.commitment, tree);
    for (let i = 0; i < leaves; i++)
      accuse({ kind: 'malformed-leaf', tree, opened: openLeaves(from.shard, tree, [i]) });
    accuse(rootOpened(from.shard, tree));
    for (const secret of [secretOf(from), random.bytes(32)])
      if (secret !== undefined)
        accuse({
          kind: 'salt',
          tree,
          secret,
          opened: openLeaves(from.shard, tree, [random.below(leaves)]),
        });
  }
  return tried;
}

/** What a root is the hash of. */
export function rootOpened(shard: ProvableShard, tree: (typeof TREES)[number]): ShardFraud {
  const { kind, leaves } = treeOfShard(shard.commitment, tree);
  return { kind: 'root', tree, boundKind: kind, leaves, root: topOf(shard, tree) };
}

/** RFC 6962 root of a tree. */
export function topOf(shard: ProvableShard, tree: (typeof TREES)[number]): Uint8Array {
  let level = 0;
  for (let size = leafCount(shard.commitment, tree); size > 1; size = Math.ceil(size / 2)) level++;
  return shard.node(tree, level, 0);
}

/** A commitment one of whose roots binds another number of leaves, or another kind; its proof convicts it. */
export function convictRoot(from: ShardCase, random: Random): Conviction {
  const tree = random.pick(TREES);
  const { kind, leaves } = treeOfShard(from.shard.commitment, tree);
  const bound = random.oneIn(2) ? { kind, leaves: leaves + 1 + random.below(9) } : { kind: kind + 1, leaves };
  const root = committedRoot({ ...bound, root: topOf(from.shard, tree) });
  const field = {
    text: 'textRoot',
    suffix: 'suffixRoot',
    inverse: 'inverseRoot',
    documents: 'documentRoot',
  } as const;
  const commitment = { ...from.shard.commitment, [field[tree]]: root };
  const rfc = topOf(from.shard, tree);
  const fraud: ShardFraud = { kind: 'root', tree, boundKind: bound.kind, leaves: bound.leaves, root: rfc };
  const bytes = encodeFraud(fraud);
  const before = performance.now();
  const convicted = convicts(commitment, decodeFraud(bytes), from);
  const verifyMs = performance.now() - before;
  if (!convicted) throw new Error('a root of another size is not convicted');
  return { corruption: 'root: kind or number of leaves', kind: 'root', bytes: bytes.length, verifyMs };
}

function attempt<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch (error) {
    if (error instanceof RangeError || error instanceof DecodeError) return undefined;
    throw error;
  }
}

function readable(bytes: Uint8Array): ShardFraud | undefined {
  return attempt(() => decodeFraud(bytes));
}
