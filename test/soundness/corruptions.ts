/**
 * Ways to publish a wrong shard: one entry of one leaf, a whole leaf, several of them, or a lie that every
 * tree repeats.
 */
import {
  type CommitOptions,
  commitLeaves,
  leavesOfArrays,
  type ShardLeaves,
} from '../../attest/prove/memory.ts';
import type { ProvableShard } from '../../attest/prove/prove.ts';
import type { ShardArrays, SourceDocument } from '../../attest/shard.ts';
import { naiveShard } from '../../attest/testing/naive-shard.ts';
import { concatBytes } from '../../core/bytes.ts';
import { DecodeError } from '../../core/errors.ts';
import type { ShardTree } from '../../modules/attribution/proof/kinds.ts';
import { leafCount } from '../../modules/attribution/proof/shard/commitment.ts';
import { SHOWN_LEAF_BYTES_MAX } from '../../modules/attribution/proof/shard/fraud-format.ts';
import {
  type DocumentLeaf,
  decodeDocumentLeaf,
  decodeInverseLeaf,
  decodeSuffixLeaf,
  decodeTextLeaf,
  encodeDocumentLeaf,
  encodeInverseLeaf,
  encodeSuffixLeaf,
  encodeTextLeaf,
  type SuffixEntry,
  type TextLeaf,
} from '../../modules/attribution/proof/shard/leaves.ts';
import { SEPARATOR } from '../../modules/attribution/proof/tokenise.ts';
import type { Random } from '../fuzz/random.ts';
import { mutateBytes } from '../fuzz/mutate-bytes.ts';
import type { ShardCase } from './shards.ts';

/** What is corrupted: the right shard, or one that is wrong already. */
export type Corruptible = Pick<ShardCase, 'sources' | 'arrays' | 'options'> & {
  readonly shard: ProvableShard;
};

/** A shard that somebody might publish; undefined when the case leaves no room for this corruption. */
export type Corruption = (from: Corruptible, random: Random) => ProvableShard | undefined;

const TREES = ['text', 'suffix', 'inverse', 'documents'] as const;

/** Most places that are wrong at once, less two. */
const SEVERAL_MORE = 4;

/** A number near another, or any below a limit. */
function other(value: number, limit: number, random: Random): number {
  const near = [value + 1, value - 1, value + 64, value ^ 1, random.below(limit), 0, limit];
  return Math.min(2 ** 32 - 1, Math.max(0, near[random.below(near.length)] ?? 0));
}

function replaced<T>(list: readonly T[], index: number, value: T): T[] {
  return list.map((item, i) => (i === index ? value : item));
}

function swapped<T>(list: readonly T[], a: number, b: number): T[] {
  const copy = [...list];
  const [x, y] = [list[a], list[b]];
  if (x !== undefined && y !== undefined) {
    copy[a] = y;
    copy[b] = x;
  }
  return copy;
}

/** Publishes these leaves, or those of another shape. */
function publish({ arrays, options }: Corruptible, leaves: ShardLeaves): ProvableShard {
  return commitLeaves(leaves, arrays, options);
}

/** All leaves of a shard as it is. */
function leavesOf({ shard }: Corruptible): ShardLeaves {
  const of = (tree: ShardTree): Uint8Array[] =>
    Array.from({ length: leafCount(shard.commitment, tree) }, (_, i) => shard.leaf(tree, i));
  return { text: of('text'), suffix: of('suffix'), inverse: of('inverse'), documents: of('documents') };
}

/** Changes one leaf of one tree. */
function ofLeaf(
  tree: ShardTree,
  change: (bytes: Uint8Array, index: number, from: Corruptible, random: Random) => Uint8Array,
): Corruption {
  return (from, random) => {
    const leaves = leavesOf(from);
    const index = random.below(leaves[tree].length);
    const bytes = change(from.shard.leaf(tree, index), index, from, random);
    return publish(from, { ...leaves, [tree]: replaced(leaves[tree], index, bytes) });
  };
}

function ofText(
  change: (leaf: TextLeaf, from: Corruptible, random: Random) => Partial<TextLeaf>,
): Corruption {
  return ofLeaf('text', (bytes, index, from, random) => {
    const leaf = decodeTextLeaf(from.shard.commitment, index, bytes);
    return encodeTextLeaf({ ...leaf, ...change(leaf, from, random) });
  });
}

function ofEntry(
  change: (entry: SuffixEntry, from: Corruptible, random: Random) => Partial<SuffixEntry>,
): Corruption {
  return ofLeaf('suffix', (bytes, index, from, random) => {
    const leaf = decodeSuffixLeaf(from.shard.commitment, index, bytes);
    const at = random.below(leaf.entries.length);
    const entry = leaf.entries[at];
    if (entry === undefined) return bytes;
    const entries = replaced(leaf.entries, at, { ...entry, ...change(entry, from, random) });
    return encodeSuffixLeaf({ ...leaf, entries });
  });
}

function ofDocument(
  change: (leaf: DocumentLeaf, from: Corruptible, random: Random) => Partial<DocumentLeaf>,
): Corruption {
  return ofLeaf('documents', (bytes, index, from, random) => {
    const leaf = decodeDocumentLeaf(from.shard.commitment, index, bytes);
    return encodeDocumentLeaf({ ...leaf, ...change(leaf, from, random) });
  });
}

/** Changes what is indexed, and makes all arrays and trees from it: nothing but the content contradicts it. */
function ofContent(
  change: (content: Uint8Array, random: Random, sources: readonly SourceDocument[]) => Uint8Array | undefined,
): Corruption {
  return (from, random) => {
    const index = random.below(from.sources.length);
    const source = from.sources[index];
    if (source?.content === undefined) return undefined;
    const content = change(source.content, random, from.sources);
    const arrays = naiveShard(replaced(from.sources, index, { ...source, content }));
    return commitLeaves(leavesOfArrays(arrays, from.options), arrays, from.options);
  };
}

/** Publishes other arrays than the right ones, as long. */
function ofArrays(change: (arrays: ShardArrays, random: Random) => Partial<ShardArrays>): Corruption {
  return ({ arrays, options }, random) => {
    const changed = { ...arrays, ...change(arrays, random) };
    return commitLeaves(leavesOfArrays(changed, options), changed, options);
  };
}

/** Arrays whose suffixes stand in this order. */
function ordered(order: readonly number[]): Pick<ShardArrays, 'suffix' | 'rank'> {
  const ranks = new Map(order.map((position, rank) => [position, rank]));
  return { suffix: (rank) => order[rank] ?? 0, rank: (position) => ranks.get(position) ?? 0 };
}

function suffixes(arrays: ShardArrays): number[] {
  return Array.from({ length: arrays.tokens }, (_, rank) => arrays.suffix(rank));
}

/** Takes a token out of the text, the arrays being made without regard to contents. */
function otherTokens(arrays: ShardArrays, options: CommitOptions, tokens: readonly number[]): ProvableShard {
  const changed: ShardArrays = { ...arrays, token: (position) => tokens[position] ?? SEPARATOR };
  return commitLeaves(leavesOfArrays(changed, options), changed, options);
}

/** A leaf that can be opened nowhere: longer than any proof shows. */
export const unshownLeaf: Corruption = (from, random) => {
  const bytes = SHOWN_LEAF_BYTES_MAX + 1 + random.below(5_000);
  return ofLeaf(random.pick(TREES), (leaf) => concatBytes(leaf, random.bytes(bytes - leaf.length)))(
    from,
    random,
  );
};

/** Changes of one entry or one leaf, of which several can be made one after the other. */
const PLACES = /^(?:text|suffix|inverse|documents): /u;

/** Several places of the trees that `isOf` lets in are wrong; the other trees stay as they are. */
function several(isOf: (name: string, random: Random) => boolean): Corruption {
  return (from, random) => {
    const names = Object.keys(CORRUPTIONS).filter((name) => PLACES.test(name) && isOf(name, random));
    let { shard } = from;
    for (let count = 2 + random.below(SEVERAL_MORE); count > 0; count--) {
      const next = wellFormed(() =>
        CORRUPTIONS[names[random.below(names.length)] ?? '']?.({ ...from, shard }, random),
      );
      shard = next ?? shard;
    }
    return shard;
  };
}

/** Undefined when a leaf that is to be changed again cannot be read any more. */
function wellFormed(make: () => ProvableShard | undefined): ProvableShard | undefined {
  try {
    return make();
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

/** Every way, by name. */
export const CORRUPTIONS: Readonly<Record<string, Corruption>> = {
  'text: token': ofText(({ tokens }, _from, random) => {
    const at = random.below(tokens.length);
    const values = [
      random.uint32(),
      SEPARATOR,
      0,
      (tokens[at] ?? 0) ^ (1 << random.below(32)),
      tokens[0] ?? 0,
    ];
    return { tokens: replaced(tokens, at, (values[random.below(values.length)] ?? 0) >>> 0) };
  }),
  'text: tokens swapped': ofText(({ tokens }, _from, random) => ({
    tokens: swapped(tokens, random.below(tokens.length), random.below(tokens.length)),
  })),
  'text: document': ofText(({ document }, { sources }, random) => ({
    document: other(document, sources.length, random),
  })),
  'text: offset': ofText(({ offset }, _from, random) => ({ offset: other(offset, 700, random) })),
  'suffix: position': ofEntry(({ position }, { arrays }, random) => ({
    position: other(position, arrays.tokens, random),
  })),
  'suffix: document': ofEntry(({ document }, { sources }, random) => ({
    document: other(document, sources.length, random),
  })),
  'suffix: token': ofEntry(({ tokens }, _from, random) => {
    const at = random.below(tokens.length);
    return {
      tokens: replaced(tokens, at, random.oneIn(3) ? SEPARATOR : other(tokens[at] ?? 0, 2 ** 32, random)),
    };
  }),
  'suffix: another entry': ofEntry((entry, { shard, arrays, options }, random) => {
    const rank = random.below(arrays.tokens);
    const index = Math.floor(rank / (options.entriesPerLeaf ?? 1));
    const { entries } = decodeSuffixLeaf(shard.commitment, index, shard.leaf('suffix', index));
    return entries[random.below(entries.length)] ?? entry;
  }),
  'inverse: rank': ofLeaf('inverse', (bytes, index, { shard, arrays }, random) => {
    const leaf = decodeInverseLeaf(shard.commitment, index, bytes);
    const at = random.below(leaf.ranks.length);
    const ranks = replaced(leaf.ranks, at, other(leaf.ranks[at] ?? 0, arrays.tokens, random));
    return encodeInverseLeaf({ ...leaf, ranks });
  }),
  'inverse: ranks swapped': ofLeaf('inverse', (bytes, index, { shard }, random) => {
    const leaf = decodeInverseLeaf(shard.commitment, index, bytes);
    const { length } = leaf.ranks;
    return encodeInverseLeaf({
      ...leaf,
      ranks: swapped(leaf.ranks, random.below(length), random.below(length)),
    });
  }),
  'documents: contribution': ofDocument(({ contributionId }) => ({ contributionId: contributionId + 1n })),
  'documents: contributor': ofDocument(({ contributor }, _from, random) => ({
    contributor: mutateBytes(contributor, random),
  })),
  'documents: content root': ofDocument(({ root }) => ({ root: root.map((byte) => byte ^ 1) })),
  'documents: byte length': ofDocument(({ byteLength }, _from, random) => ({
    byteLength: other(byteLength, 2 ** 32, random),
  })),
  'documents: tombstone': ofDocument(({ tombstone }) => ({ tombstone: !tombstone })),
  'documents: first token': ofDocument(({ firstToken }, { arrays }, random) => ({
    firstToken: other(firstToken, arrays.tokens, random),
  })),
  'documents: tokens': ofDocument(({ tokens }, { arrays }, random) => ({
    tokens: other(tokens, arrays.tokens, random),
  })),
  'documents: boundary moved': (from, random) => {
    const leaves = leavesOf(from);
    const index = random.below(from.sources.length - 1);
    const [a, b] = [leaves.documents[index], leaves.documents[index + 1]];
    if (a === undefined || b === undefined) return undefined;
    const left = decodeDocumentLeaf(from.shard.commitment, index, a);
    const right = decodeDocumentLeaf(from.shard.commitment, index + 1, b);
    const by = other(left.tokens, 9, random) - left.tokens;
    const documents = [...leaves.documents];
    documents[index] = encodeDocumentLeaf({ ...left, tokens: left.tokens + by });
    const firstToken = Math.max(0, right.firstToken + by);
    documents[index + 1] = encodeDocumentLeaf({
      ...right,
      firstToken,
      tokens: Math.max(0, right.tokens - by),
    });
    return publish(from, { ...leaves, documents });
  },
  'leaf: bytes': (from, random) => {
    const tree = random.pick(TREES);
    return ofLeaf(tree, (bytes) => mutateBytes(bytes, random))(from, random);
  },
  'leaf: longer': (from, random) => {
    const tree = random.pick(TREES);
    return ofLeaf(tree, (bytes) => concatBytes(bytes, random.bytes(1 + random.below(2000))))(from, random);
  },
  'leaf: salt': (from, random) => {
    if (from.options.saltSecret === undefined) return undefined;
    const tree = random.pick(['text', 'suffix', 'inverse', 'documents'] as const);
    return ofLeaf(tree, (bytes) => replacedByte(bytes, 1 + random.below(32)))(from, random);
  },
  'salts: of another secret': ({ arrays, options, shard }, random) => {
    if (options.saltSecret === undefined) return undefined;
    const leaves = leavesOfArrays(arrays, { ...options, saltSecret: random.bytes(32) });
    const made = commitLeaves(leaves, arrays, options);
    return { ...made, commitment: { ...made.commitment, saltCommitment: shard.commitment.saltCommitment } };
  },
  'leaf: of another tree': (from, random) => {
    const tree = random.pick(['text', 'suffix', 'inverse'] as const);
    return ofLeaf(tree, () => from.shard.leaf('documents', 0))(from, random);
  },
  'leaf: of another place': (from, random) => {
    const tree = random.pick(TREES);
    const leaves = leavesOfArrays(from.arrays, from.options)[tree];
    return ofLeaf(tree, (bytes) => leaves[random.below(leaves.length)] ?? bytes)(from, random);
  },
  'several: places of one tree': (from, random) => {
    const tree = random.pick(TREES);
    return several((name) => name.startsWith(tree))(from, random);
  },
  'several: places of all trees': several(() => true),
  'several: entries and inverse': several(
    (name) => !name.startsWith('text') && !name.startsWith('documents'),
  ),
  'arrays: two suffixes swapped': ofArrays((arrays, random) =>
    ordered(swapped(suffixes(arrays), random.below(arrays.tokens), random.below(arrays.tokens))),
  ),
  'arrays: neighbours swapped': ofArrays((arrays, random) => {
    const rank = random.below(arrays.tokens);
    return ordered(swapped(suffixes(arrays), rank, rank + 1));
  }),
  'arrays: rotated': ofArrays((arrays) => {
    const order = suffixes(arrays);
    return ordered([...order.slice(1), ...order.slice(0, 1)]);
  }),
  'arrays: backwards': ofArrays((arrays) => ordered(suffixes(arrays).reverse())),
  'arrays: one suffix twice': ofArrays((arrays, random) => {
    const order = suffixes(arrays);
    return ordered(replaced(order, random.below(order.length), order[random.below(order.length)] ?? 0));
  }),
  'arrays: a token': ({ arrays, options }, random) => {
    const tokens = Array.from({ length: arrays.tokens }, (_, at) => arrays.token(at));
    return otherTokens(arrays, options, replaced(tokens, random.below(tokens.length), random.uint32()));
  },
  'arrays: a separator moved': ({ arrays, options }, random) => {
    const tokens = Array.from({ length: arrays.tokens }, (_, at) => arrays.token(at));
    const at = tokens.indexOf(SEPARATOR, random.below(tokens.length));
    return at < 1 ? undefined : otherTokens(arrays, options, swapped(tokens, at, at - 1));
  },
  'content: hidden': ofContent(() => undefined),
  'content: a byte': ofContent((content, random) =>
    content.length === 0 ? undefined : replacedByte(content, random.below(content.length)),
  ),
  'content: cut short': ofContent((content, random) => content.slice(0, random.below(content.length))),
  'content: longer': ofContent((content, random) => concatBytes(content, random.bytes(1 + random.below(70)))),
  "content: another document's": ofContent(
    (content, random, sources) => sources[random.below(sources.length)]?.content ?? content,
  ),
};

function replacedByte(content: Uint8Array, at: number): Uint8Array {
  const copy = content.slice();
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}
