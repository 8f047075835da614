/**
 * Finds what is wrong with somebody's shard: holds its leaves against those of the right arrays, and makes
 * the proof that convicts it. Every shard that differs has a fraud (`modules/attribution/proof/README.md`); one
 * is found in O(log n) leaves, also where nearly every leaf differs. Each row takes those above as settled,
 * "first" is the first leaf of the tree that differs, and what no row names is right:
 *
 * | what is read | fraud |
 * | --- | --- |
 * | any leaf that cannot stand at its place | malformed-leaf |
 * | first leaf of any tree: its salt, where the secret is known | salt |
 * | first document: not the contribution | document-record |
 * | first document: begins elsewhere, and the one before is right | document-range |
 * | first document: ends elsewhere. The text differs before its right end | that of the text |
 * | … the text is right up to there, and has its separator there | document-end |
 * | … the text is right and ends before that | text-link behind its last leaf |
 * | no document; the shard has another number of tokens | document-range behind the last |
 * | first text leaf: its head, the leaf before being right | text-link |
 * | first text leaf: its first wrong token, whose place follows from what is right | text-token |
 * | any entry: its tokens or document are not those of its position | prefix, entry-document |
 * | first suffix leaf: its first entry at a wrong rank | permutation, token-order, suffix-order: `wrong-order.ts` |
 * | first inverse leaf: its first wrong rank, all of SA being right | permutation |
 *
 * The right arrays have tombstones where the accused shard has them and the chain allows it, and no others.
 */
import { equalBytes } from '../../core/bytes.ts';
import { LedgerError } from '../../core/errors.ts';
import { LEAF_TOKENS, type ShardTree } from '../../modules/attribution/proof/kinds.ts';
import { leafCount, rootOf } from '../../modules/attribution/proof/shard/commitment.ts';
import type { ShardFraud, StatementFraud } from '../../modules/attribution/proof/shard/fraud-format.ts';
import {
  type DocumentLeaf,
  SALT_BYTES,
  type SuffixEntry,
} from '../../modules/attribution/proof/shard/leaves.ts';
import { leafSalt } from '../../modules/attribution/proof/shard/salts.ts';
import type { ShardCommitment } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import type { ShardArrays, ShardDocument, ShardReader } from '../shard.ts';
import { firstDifferingLeaf } from './differing-leaf.ts';
import {
  type ContentSource,
  fraudAt,
  MalformedLeaf,
  openLeaves,
  ShardLeaves,
  type StatementPlace,
} from './fraud-at.ts';
import { leafOfArrays } from './memory.ts';
import type { ProvableShard } from './prove.ts';
import { wrongOrder } from './wrong-order.ts';

/** What a watcher knows of a shard that somebody published. */
export interface Accusation {
  /**
   * The right arrays. With `node`, of a shard that is committed to in the same way, leaves that differ are
   * found by nodes; without, by reading one leaf after another.
   */
  readonly honest: ShardArrays & Partial<Pick<ShardReader, 'node' | 'commitment'>>;
  /**
   * Of a salted shard: 32 bytes that its commitment binds, which `honest` is salted with too. A wrong salt is
   * a fraud then; without, salts may be any, and leaves are read one after another.
   */
  readonly secret?: Uint8Array | undefined;
  /** The published commitment and its leaves. */
  readonly accused: ProvableShard;
  /** Content of a document of the shard. */
  readonly content: ContentSource;
}

/** Code of the error about leaves and nodes that are not of one tree: somebody served something else. */
export const UNFIT_PIECES = 'attest.unfit_pieces';

/**
 * Proof that the accused shard is wrong; undefined when its leaves are right. Whether they are those of its
 * roots is the caller's to know: with other roots, other numbers of leaves bound, they open nowhere, and have
 * to be demanded on chain.
 * @throws LedgerError (`attest.unfit_pieces`) when leaves and nodes of the accused shard contradict each other
 */
export function convict(accusation: Accusation): ShardFraud | undefined {
  try {
    const finder = new Finder(accusation);
    return finder.wrongDocument() ?? finder.wrongText() ?? finder.wrongEntry() ?? finder.wrongInverse();
  } catch (error) {
    if (error instanceof Convicted) return error.fraud;
    if (error instanceof MalformedLeaf) return malformedLeaf(accusation.accused, error);
    throw error;
  }
}

function malformedLeaf(
  accused: ProvableShard,
  { tree, index }: Pick<MalformedLeaf, 'tree' | 'index'>,
): ShardFraud {
  return { kind: 'malformed-leaf', tree, opened: openLeaves(accused, tree, [index]) };
}

/** Thrown where a leaf is read that convicts, whatever it was read for. */
class Convicted extends Error {
  readonly fraud: ShardFraud;

  constructor(fraud: ShardFraud) {
    super('a leaf that was read convicts its shard');
    this.name = 'Convicted';
    this.fraud = fraud;
  }
}

/** The first place at which the text differs: a head of a leaf, or a token. */
interface TextDifference extends StatementPlace {
  readonly position: number;
}

class Finder {
  readonly #honest: Accusation['honest'];
  readonly #accused: ProvableShard;
  readonly #content: ContentSource;
  readonly #commitment: ShardCommitment;
  readonly #leaves: ShardLeaves;
  readonly #secret: Uint8Array | undefined;

  constructor({ honest, accused, content, secret }: Accusation) {
    this.#secret = secret;
    this.#honest = honest;
    this.#accused = accused;
    this.#content = content;
    this.#commitment = accused.commitment;
    this.#leaves = new ShardLeaves(accused);
  }

  /** Documents; with them the number of tokens, and so the text where a document's end rests on it. */
  wrongDocument(): ShardFraud | undefined {
    const { documents, tokens } = this.#commitment;
    const index = this.#firstDiffering('documents');
    if (index === undefined)
      return tokens === this.#honest.tokens
        ? undefined
        : this.#fraud({ kind: 'document-range', at: documents });
    if (index >= this.#honest.documents) return this.#fraud({ kind: 'document-record', at: index });
    const theirs = this.#leaves.document(index);
    const ours = this.#honest.document(index);
    if (!isSameRecord(ours, theirs)) return this.#fraud({ kind: 'document-record', at: index });
    if (theirs.firstToken !== ours.firstToken) return this.#fraud({ kind: 'document-range', at: index });
    const end = ours.firstToken + ours.tokens - 1;
    const text = this.#textDifference();
    if (text !== undefined && text.position <= end) return this.#fraud(text);
    return this.#fraud(
      tokens <= end
        ? { kind: 'text-link', at: leafCount(this.#commitment, 'text') }
        : { kind: 'document-end', at: end },
    );
  }

  wrongText(): ShardFraud | undefined {
    const difference = this.#textDifference();
    return difference && this.#fraud(difference);
  }

  /** Entries: of their positions, or at wrong ranks. */
  wrongEntry(): ShardFraud | undefined {
    const index = this.#firstDiffering('suffix');
    if (index === undefined) return undefined;
    const first = index * this.#commitment.entriesPerLeaf;
    for (const [i] of this.#leaves.suffix(index).entries.entries()) {
      const rank = first + i;
      if (this.#entry(rank).position === this.#honest.suffix(rank)) continue;
      const published = {
        positionAt: (at: number): number => this.#entry(at).position,
        rankAt: (position: number): number => this.#leaves.rankAt(position),
      };
      return this.#fraud(wrongOrder(this.#honest, published, rank));
    }
    throw unfit('suffix', index);
  }

  wrongInverse(): ShardFraud | undefined {
    const index = this.#firstDiffering('inverse');
    if (index === undefined) return undefined;
    const first = index * LEAF_TOKENS;
    const wrong = this.#leaves
      .inverse(index)
      .ranks.findIndex((rank, i) => rank !== this.#honest.rank(first + i));
    if (wrong < 0) throw unfit('inverse', index);
    return this.#fraud({ kind: 'permutation', at: first + wrong });
  }

  /** @throws Convicted when its tokens or its document are not those of its position */
  #entry(rank: number): SuffixEntry {
    const entry = this.#leaves.entry(rank);
    const { position, document, tokens } = entry;
    if (tokens.some((token, i) => token !== this.#honest.token(position + i)))
      throw new Convicted(this.#fraud({ kind: 'prefix', at: rank }));
    if (document !== this.#honest.documentAt(position))
      throw new Convicted(this.#fraud({ kind: 'entry-document', at: rank }));
    return entry;
  }

  #textDifference(): TextDifference | undefined {
    const index = this.#firstDiffering('text');
    if (index === undefined) return undefined;
    const difference = this.#differenceInText(index);
    if (difference === undefined) throw unfit('text', index);
    return difference;
  }

  /** A text that goes on behind the right one differs there, at the latest in the head of a leaf. */
  #differenceInText(index: number): TextDifference | undefined {
    const honest = this.#honest;
    const leaf = this.#leaves.text(index);
    const first = index * LEAF_TOKENS;
    const isHead =
      first >= honest.tokens ||
      leaf.document !== honest.documentAt(first) ||
      leaf.offset !== honest.byteOffset(first);
    if (isHead) return { kind: 'text-link', at: index, position: first };
    const isWrong = (token: number, i: number): boolean =>
      first + i >= honest.tokens || token !== honest.token(first + i);
    const wrong = leaf.tokens.findIndex(isWrong);
    return wrong < 0 ? undefined : { kind: 'text-token', at: first + wrong, position: first + wrong };
  }

  /** Index of the first leaf of a tree that differs. @throws Convicted when it has a wrong salt */
  #firstDiffering(tree: ShardTree): number | undefined {
    const index = this.#findDiffering(tree);
    if (index === undefined || this.#secret === undefined || !this.#hasWrongSalt(tree, index)) return index;
    this.#leaves.check(tree, index);
    const opened = openLeaves(this.#accused, tree, [index]);
    throw new Convicted({ kind: 'salt', tree, secret: this.#secret, opened });
  }

  #hasWrongSalt(tree: ShardTree, index: number): boolean {
    if (this.#secret === undefined) return false;
    const salt = this.#accused.leaf(tree, index).slice(1, 1 + SALT_BYTES);
    return !equalBytes(salt, leafSalt(this.#secret, tree, index));
  }

  #findDiffering(tree: ShardTree): number | undefined {
    const leaves = leafCount(this.#commitment, tree);
    const differs = (index: number): boolean => this.#differs(tree, index);
    const { node, commitment } = this.#honest;
    const isLikeSalted = !this.#commitment.salted || this.#secret !== undefined;
    const comparable =
      commitment === undefined || !isLikeSalted ? 0 : comparableLeaves(tree, commitment, this.#commitment);
    if (node === undefined || commitment === undefined || comparable === 0) {
      for (let index = 0; index < leaves; index++) if (differs(index)) return index;
      return undefined;
    }
    if (equalBytes(rootOf(commitment, tree), rootOf(this.#commitment, tree))) return undefined;
    return firstDifferingLeaf({
      leaves,
      comparable,
      right: (level, index) => this.#honest.node?.(tree, level, index) ?? new Uint8Array(0),
      wrong: (level, index) => this.#accused.node(tree, level, index),
      differs,
    });
  }

  #differs(tree: ShardTree, index: number): boolean {
    if (this.#hasWrongSalt(tree, index)) return true;
    if (tree === 'text') return this.#differenceInText(index) !== undefined;
    if (tree === 'documents' && index >= this.#honest.documents) return true;
    const { entriesPerLeaf, salted } = this.#commitment;
    const bytes = this.#accused.leaf(tree, index);
    const salt = salted ? bytes.slice(1, 1 + SALT_BYTES) : new Uint8Array(0);
    return !equalBytes(bytes, leafOfArrays(this.#honest, { tree, index, entriesPerLeaf, salt }));
  }

  #fraud(place: StatementPlace): StatementFraud {
    return fraudAt(this.#accused, place, this.#content);
  }
}

/** Leaves that two shards of the same documents have at the same nodes, from the first on. */
function comparableLeaves(tree: ShardTree, ours: ShardCommitment, theirs: ShardCommitment): number {
  if (ours.salted !== theirs.salted) return 0;
  const leaves = leafCount(theirs, tree);
  const isAsLong = ours.tokens === theirs.tokens;
  switch (tree) {
    case 'documents':
      return ours.documents === theirs.documents ? leaves : 0;
    case 'text':
      return isAsLong ? leaves : Math.floor(Math.min(ours.tokens, theirs.tokens) / LEAF_TOKENS);
    case 'inverse':
      return isAsLong ? leaves : 0;
    case 'suffix':
      return isAsLong && ours.entriesPerLeaf === theirs.entriesPerLeaf ? leaves : 0;
  }
}

function isSameRecord(ours: ShardDocument, theirs: DocumentLeaf): boolean {
  return (
    ours.contributionId === theirs.contributionId &&
    ours.byteLength === theirs.byteLength &&
    ours.tombstone === theirs.tombstone &&
    equalBytes(ours.contributor, theirs.contributor) &&
    equalBytes(ours.root, theirs.root)
  );
}

function unfit(tree: ShardTree, index: number): LedgerError {
  return new LedgerError(
    UNFIT_PIECES,
    `leaf ${index} of the ${tree} tree is right, and a node above it is not`,
    {
      tree,
      index,
    },
  );
}
