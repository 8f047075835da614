/**
 * Finds what is wrong with somebody's shard: compares its leaves with those of the right arrays, and makes
 * the proof that convicts it. It looks only at statements about leaves that differ, since the others hold;
 * every shard that differs has a wrong one (`modules/attribution/proof/README.md`).
 *
 * The right arrays have tombstones where the accused shard has them and the chain allows it, and no others.
 */
import { equalBytes } from '../../core/bytes.ts';
import { LEAF_TOKENS, type ShardTree } from '../../modules/attribution/proof/kinds.ts';
import { leafCount } from '../../modules/attribution/proof/shard/commitment.ts';
import type { FraudStatement, ShardFraud } from '../../modules/attribution/proof/shard/fraud-format.ts';
import {
  type DocumentLeaf,
  decodeDocumentLeaf,
  leafProblem,
  SALT_BYTES,
} from '../../modules/attribution/proof/shard/leaves.ts';
import { SEPARATOR } from '../../modules/attribution/proof/tokenise.ts';
import type { ShardCommitment } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import type { ShardArrays, ShardReader } from '../shard.ts';
import { type ContentSource, fraudAt, openLeaves, ShardLeaves } from './fraud-at.ts';
import { leafOfArrays } from './memory.ts';
import type { ProvableShard } from './prove.ts';

/** What a watcher knows of a shard that somebody published. */
export interface Accusation {
  /** The right arrays. With `node`, of a shard that is committed to in the same way, only what differs is read. */
  readonly honest: ShardArrays & Partial<Pick<ShardReader, 'node' | 'commitment'>>;
  /** The published commitment and its leaves. */
  readonly accused: ProvableShard;
  /** Content of a document of the shard. */
  readonly content: ContentSource;
}

/**
 * Proof that the accused shard is wrong; undefined when its leaves are right. Whether they are those of its
 * roots is the caller's to know: with other roots, other numbers of leaves bound, they open nowhere, and have
 * to be demanded on chain.
 */
export function convict(accusation: Accusation): ShardFraud | undefined {
  const accused = new AccusedLeaves(accusation);
  return (
    accused.wrongRecord() ??
    accused.wrongText() ??
    accused.wrongRange() ??
    accused.wrongEntry() ??
    accused.wrongPermutation() ??
    accused.wrongOrder()
  );
}

class AccusedLeaves {
  readonly #honest: Accusation['honest'];
  readonly #accused: ProvableShard;
  readonly #content: ContentSource;
  readonly #commitment: ShardCommitment;
  readonly #leaves: ShardLeaves;
  readonly #differing = new Map<ShardTree, Remembered>();

  constructor({ honest, accused, content }: Accusation) {
    this.#honest = honest;
    this.#accused = accused;
    this.#content = content;
    this.#commitment = accused.commitment;
    this.#leaves = new ShardLeaves(accused);
  }

  /** Indices of the leaves of a tree that differ, ascending: no more are read than are asked for. */
  #differ(tree: ShardTree): Iterable<number> {
    const known = this.#differing.get(tree) ?? new Remembered(this.#findDiffering(tree));
    this.#differing.set(tree, known);
    return known;
  }

  *#findDiffering(tree: ShardTree): Generator<number> {
    const { honest, accused } = { honest: this.#honest, accused: this.#accused };
    const theirs = this.#commitment;
    const { commitment: ours } = honest;
    const alike =
      ours !== undefined &&
      ours.tokens === theirs.tokens &&
      ours.documents === theirs.documents &&
      ours.entriesPerLeaf === theirs.entriesPerLeaf &&
      !ours.salted &&
      !theirs.salted;
    const leaves = leafCount(theirs, tree);
    if (alike && hasNodes(honest)) {
      const right = (level: number, index: number): Uint8Array => honest.node(tree, level, index);
      yield* differingLeaves(leaves, { right, wrong: (level, index) => accused.node(tree, level, index) });
    } else for (let i = 0; i < leaves; i++) if (!this.#isRight(tree, i)) yield i;
  }

  #isRight(tree: ShardTree, index: number): boolean {
    const { entriesPerLeaf, salted, documents } = this.#commitment;
    const bytes = this.#accused.leaf(tree, index);
    const salt = salted ? bytes.slice(1, 1 + SALT_BYTES) : new Uint8Array(0);
    const { tokens } = this.#honest;
    const perLeaf = tree === 'suffix' ? entriesPerLeaf : tree === 'documents' ? 1 : LEAF_TOKENS;
    if (index * perLeaf >= (tree === 'documents' ? Math.min(documents, this.#honest.documents) : tokens))
      return false;
    // In a shard of other sizes a leaf of the right shard may be one that cannot stand there.
    if (tokens !== this.#commitment.tokens && this.#malformed(tree, index) !== undefined) return false;
    return equalBytes(bytes, leafOfArrays(this.#honest, { tree, index, entriesPerLeaf, salt }));
  }

  #document(index: number): DocumentLeaf {
    return decodeDocumentLeaf(this.#commitment, index, this.#accused.leaf('documents', index));
  }

  #fraud(kind: FraudStatement, at: number): ShardFraud {
    return fraudAt(this.#accused, { kind, at }, this.#content);
  }

  #malformed(tree: ShardTree, index: number): ShardFraud | undefined {
    const bytes = this.#accused.leaf(tree, index);
    if (leafProblem(this.#commitment, { tree, index, bytes }) === undefined) return undefined;
    return { kind: 'malformed-leaf', tree, opened: openLeaves(this.#accused, tree, [index]) };
  }

  #firstMalformed(tree: ShardTree): ShardFraud | undefined {
    for (const index of this.#differ(tree)) {
      const fraud = this.#malformed(tree, index);
      if (fraud !== undefined) return fraud;
    }
    return undefined;
  }

  wrongRecord(): ShardFraud | undefined {
    for (const index of this.#differ('documents')) {
      const malformed = this.#malformed('documents', index);
      if (malformed !== undefined) return malformed;
      const ours = this.#honest.document(index);
      const theirs = this.#document(index);
      const same =
        ours.contributionId === theirs.contributionId &&
        ours.byteLength === theirs.byteLength &&
        ours.tombstone === theirs.tombstone &&
        equalBytes(ours.contributor, theirs.contributor) &&
        equalBytes(ours.root, theirs.root);
      if (!same) return this.#fraud('document-record', index);
    }
    return undefined;
  }

  /** The first leaf of the text that differs: its header, or its first wrong token. */
  wrongText(): ShardFraud | undefined {
    const last = leafCount(this.#commitment, 'text');
    const [index] = this.#differ('text');
    const honest = this.#honest;
    if (index === undefined)
      return this.#commitment.tokens === honest.tokens ? undefined : this.#fraud('text-link', last);
    const malformed = this.#malformed('text', index);
    if (malformed !== undefined) return malformed;
    const leaf = this.#leaves.text(index);
    const first = index * LEAF_TOKENS;
    const isBehind = first >= honest.tokens;
    if (isBehind || leaf.document !== honest.documentAt(first) || leaf.offset !== honest.byteOffset(first))
      return this.#fraud('text-link', index);
    const wrong = leaf.tokens.findIndex((token, i) => token !== honest.token(first + i));
    return wrong < 0 ? this.#fraud('text-link', last) : this.#fraud('text-token', first + wrong);
  }

  /** Ranges of documents, when the text and what else documents say is right. */
  wrongRange(): ShardFraud | undefined {
    const [index] = this.#differ('documents');
    if (index === undefined) return undefined;
    const ours = this.#honest.document(index);
    return this.#document(index).firstToken === ours.firstToken
      ? this.#fraud('document-end', ours.firstToken + ours.tokens - 1)
      : this.#fraud('document-range', index);
  }

  #ranksOfDiffering(): Iterable<number> {
    const { entriesPerLeaf, tokens } = this.#commitment;
    return ranges(this.#differ('suffix'), entriesPerLeaf, tokens);
  }

  #positionsOfDiffering(): Iterable<number> {
    return ranges(this.#differ('inverse'), LEAF_TOKENS, this.#commitment.tokens);
  }

  /** Tokens and document of entries, when text and documents are right. */
  wrongEntry(): ShardFraud | undefined {
    const malformed = this.#firstMalformed('suffix');
    if (malformed !== undefined) return malformed;
    for (const rank of this.#ranksOfDiffering()) {
      const { position, document, tokens } = this.#leaves.entry(rank);
      if (tokens.some((token, i) => token !== this.#honest.token(position + i)))
        return this.#fraud('prefix', rank);
      if (document !== this.#honest.documentAt(position)) return this.#fraud('entry-document', rank);
    }
    return undefined;
  }

  wrongPermutation(): ShardFraud | undefined {
    const malformed = this.#firstMalformed('inverse');
    if (malformed !== undefined) return malformed;
    const check = (position: number): ShardFraud | undefined => {
      const { position: found } = this.#leaves.entry(this.#leaves.rankAt(position));
      return found === position ? undefined : this.#fraud('permutation', position);
    };
    for (const position of this.#positionsOfDiffering()) {
      const fraud = check(position);
      if (fraud !== undefined) return fraud;
    }
    for (const rank of this.#ranksOfDiffering()) {
      const fraud = check(this.#honest.suffix(rank));
      if (fraud !== undefined) return fraud;
    }
    return undefined;
  }

  /** Order of neighbours, when the entries are right for their positions and all positions have one. */
  wrongOrder(): ShardFraud | undefined {
    for (const rank of this.#ranksOfDiffering())
      for (const lower of [rank - 1, rank]) {
        const fraud = this.#orderFraud(lower);
        if (fraud !== undefined) return fraud;
      }
    for (const position of this.#positionsOfDiffering()) {
      if (position === 0) continue;
      const rank = this.#leaves.rankAt(position - 1);
      for (const lower of [rank - 1, rank]) {
        const fraud = this.#orderFraud(lower);
        if (fraud !== undefined) return fraud;
      }
    }
    return undefined;
  }

  #orderFraud(rank: number): ShardFraud | undefined {
    if (rank < 0 || rank + 1 >= this.#commitment.tokens) return undefined;
    const [lower, upper] = [this.#leaves.entry(rank), this.#leaves.entry(rank + 1)];
    const [a, b] = [lower.tokens[0] ?? SEPARATOR, upper.tokens[0] ?? SEPARATOR];
    if (a > b) return this.#fraud('token-order', rank);
    const behind = (position: number): number => this.#leaves.rankAt(position + 1);
    if (a < b || behind(lower.position) < behind(upper.position)) return undefined;
    return this.#fraud('suffix-order', rank);
  }
}

/** What leaves of so many things each hold, of `total`. */
function* ranges(leaves: Iterable<number>, each: number, total: number): Generator<number> {
  for (const leaf of leaves)
    for (let at = leaf * each; at < Math.min(total, (leaf + 1) * each); at++) yield at;
}

interface TwoTrees {
  readonly right: (level: number, index: number) => Uint8Array;
  readonly wrong: (level: number, index: number) => Uint8Array;
}

/** The leaves in which two trees of one size differ. */
function* differingLeaves(leaves: number, { right, wrong }: TwoTrees): Generator<number> {
  const sizes = [leaves];
  for (let size = leaves; size > 1; ) {
    size = Math.ceil(size / 2);
    sizes.push(size);
  }
  function* walk(level: number, index: number): Generator<number> {
    if (index >= (sizes[level] ?? 0) || equalBytes(right(level, index), wrong(level, index))) return;
    if (level === 0) {
      yield index;
      return;
    }
    yield* walk(level - 1, 2 * index);
    yield* walk(level - 1, 2 * index + 1);
  }
  yield* walk(sizes.length - 1, 0);
}

/** What a generator gave is kept, so that it can be gone through again. */
class Remembered implements Iterable<number> {
  readonly #source: Iterator<number>;
  readonly #found: number[] = [];

  constructor(source: Iterator<number>) {
    this.#source = source;
  }

  *[Symbol.iterator](): Iterator<number> {
    for (let i = 0; ; i++) {
      if (i === this.#found.length) {
        const next = this.#source.next();
        if (next.done === true) return;
        this.#found.push(next.value);
      }
      yield this.#found[i] ?? 0;
    }
  }
}

/** Kept whole: a shard that is read from files has its nodes by itself. */
function hasNodes(honest: Accusation['honest']): honest is ShardArrays & Pick<ShardReader, 'node'> {
  return honest.node !== undefined;
}
