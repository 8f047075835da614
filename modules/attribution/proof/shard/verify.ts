/**
 * Verifies proofs about a shard. What a proof shows is true of what was committed to; that this is the true
 * index of its Datanet is what fraud proofs are for (`fraud.ts`).
 */
import { DecodeError, LedgerError } from '../../../../core/errors.ts';
import { HASH_BYTES, sha256Into } from '../../../../core/hash.ts';
import type { ShardCommitment } from '../../../../proto/gen/openledger/attribution/v1/attribution.ts';
import { PREFIX_TOKENS, SHARD_TREES, type ShardTree } from '../kinds.ts';
import { isToken } from '../tokenise.ts';
import { checkOpening, leafHashInto } from '../tree.ts';
import { ProofReader } from './bytes.ts';
import { checkCommitment, treeOfShard } from './commitment.ts';
import { demandsOf, type Pattern, type Standing, standingOf } from './compare.ts';
import {
  PROOF_BYTES_MAX,
  type ProofShape,
  proofShape,
  ranksOf,
  readDocumentLeaf,
  readEntry,
  readHead,
  readSalt,
  readTextLeaf,
  type ShardStatement,
} from './format.ts';
import {
  type DocumentLeaf,
  encodeDocumentLeaf,
  encodeTextLeaf,
  LEAF_BYTES_MAX,
  SALT_BYTES,
  type SuffixEntry,
} from './leaves.ts';

/** A proof, what it is about, and the tokens that its patterns are parts of. */
export interface ShardProofRequest {
  readonly commitment: ShardCommitment;
  readonly query: Uint32Array;
  readonly proof: Uint8Array;
}

/** A suffix that begins with the pattern. */
export interface Holder {
  readonly rank: number;
  /** Of the first token of the pattern. */
  readonly position: number;
  /** Index in the shard: its contribution stands at `firstPosition` + this in the Datanet. */
  readonly document: number;
}

/** A statement that holds. */
export interface ProvedStatement {
  readonly statement: ShardStatement;
  /** Leading tokens of the pattern that occur somewhere in the shard: all of them unless `lo` = `hi`. */
  readonly longest: number;
  /** holders: all of them by rank; occurrence: the one; count: none. */
  readonly holders: readonly Holder[];
}

/** What a proof shows. */
export interface ShardProof {
  readonly statements: readonly ProvedStatement[];
  /** Leaves of all holders' documents by their index, when the proof has documents. */
  readonly documents: ReadonlyMap<number, DocumentLeaf>;
}

/**
 * What a proof shows.
 * @throws DecodeError when it is not the one encoding of some proof; LedgerError (`attribution.shard_proof`)
 * when a statement does not hold or the leaves are not the shard's; LedgerError
 * (`attribution.shard_commitment`) for a commitment of impossible form
 */
export function verifyShardProof({ commitment, query, proof }: ShardProofRequest): ShardProof {
  checkCommitment(commitment);
  checkQuery(query);
  if (proof.length > PROOF_BYTES_MAX) throw new DecodeError('proof is too long', { length: proof.length });
  const check = new ProofCheck(commitment, query, new ProofReader(proof));
  return check.run();
}

/**
 * Patterns are of text: an id that no content has, the separator above all, could stand for the beginning of
 * another entry of a leaf.
 */
function checkQuery(query: Uint32Array): void {
  for (let index = 0; index < query.length; index++) {
    const id = query[index] ?? 0;
    if (!isToken(id))
      throw new LedgerError('attribution.shard_proof', `id ${id} of the query is no token`, { index });
  }
}

/** An opened leaf and where its hash stands among those of its tree. */
interface OpenedTree {
  readonly indices: readonly number[];
  readonly leafHashes: Buffer;
}

/** Input of the hash of a leaf of the suffix tree, filled anew for each. */
const entriesInput: Buffer = Buffer.alloc(1 + LEAF_BYTES_MAX);

class ProofCheck {
  readonly #shape: ProofShape;
  readonly #commitment: ShardCommitment;
  readonly #query: Uint32Array;
  readonly #reader: ProofReader;
  readonly #entries = new Map<number, SuffixEntry>();
  readonly #text = new Map<number, { readonly tokens: readonly number[]; readonly hash: Buffer }>();

  constructor(commitment: ShardCommitment, query: Uint32Array, reader: ProofReader) {
    this.#shape = proofShape(commitment);
    this.#commitment = commitment;
    this.#query = query;
    this.#reader = reader;
  }

  run(): ShardProof {
    const reader = this.#reader;
    const { withDocuments, statements } = readHead(reader, this.#shape, this.#query);
    // Entries that are not the shard's are refused before anything is compared with them.
    this.#open('suffix', this.#suffixLeaves(statements));
    const proved = statements.map((statement) => this.#prove(statement));
    this.#open('text', this.#textLeaves());
    const documents = withDocuments ? this.#documents(proved) : new Map<number, DocumentLeaf>();
    reader.check(!withDocuments || documents.size > 0, 'says that it has documents, of which it needs none');
    this.#open('documents', documentHashes(documents));
    reader.end();
    return { statements: proved, documents };
  }

  /** Reads the leaves that the statements need, and hashes them. */
  #suffixLeaves(statements: readonly ShardStatement[]): OpenedTree {
    const { tokens, entriesPerLeaf } = this.#commitment;
    const starts = startsOfRanks(statements, tokens);
    const indices = leavesOfRanks(starts, entriesPerLeaf);
    const leafHashes = Buffer.allocUnsafe(indices.length * HASH_BYTES);
    let previous: readonly number[] = [];
    for (const [i, index] of indices.entries()) {
      let at = this.#beginEntries();
      const end = Math.min(tokens, (index + 1) * entriesPerLeaf);
      for (let rank = index * entriesPerLeaf; rank < end; rank++) {
        const reference = { previous, query: this.#query, start: starts.get(rank) };
        const entry = readEntry(this.#reader, this.#shape, reference);
        this.#entries.set(rank, entry);
        at = writeEntryInput(entry, at);
        previous = entry.tokens;
      }
      sha256Into(entriesInput.subarray(0, at), leafHashes, i * HASH_BYTES);
    }
    return { indices, leafHashes };
  }

  #beginEntries(): number {
    entriesInput[0] = 0;
    entriesInput[1] = SHARD_TREES.suffix;
    if (!this.#commitment.salted) return 2;
    entriesInput.set(readSalt(this.#reader, this.#shape), 2);
    return 2 + SALT_BYTES;
  }

  #prove(statement: ShardStatement): ProvedStatement {
    const { start, length, lo, hi, kind } = statement;
    const pattern: Pattern = { query: this.#query, start, length };
    let longest = lo < hi ? length : 0;
    for (const { rank, order } of demandsOf(statement, this.#commitment.tokens)) {
      const standing = this.#standing(rank, pattern);
      if (standing.order !== order) throw wrong(`the suffix of rank ${rank} stands elsewhere`, statement);
      longest = Math.max(longest, standing.common);
    }
    const holders: Holder[] = [];
    if (kind !== 'count')
      for (let rank = lo; rank < hi; rank++) {
        const { position, document } = this.#entry(rank);
        holders.push({ rank, position, document });
      }
    return { statement, longest, holders };
  }

  #entry(rank: number): SuffixEntry {
    const entry = this.#entries.get(rank);
    if (entry === undefined) throw new LedgerError('attribution.shard_proof', 'a rank was not opened');
    return entry;
  }

  #standing(rank: number, pattern: Pattern): Standing {
    return standingOf(this.#entry(rank), pattern, (index, { position }, { query, start }) => {
      const known = this.#text.get(index);
      if (known !== undefined) return known.tokens;
      const leaf = readTextLeaf(this.#reader, this.#shape, { index, reference: { position, query, start } });
      const hash = Buffer.allocUnsafe(HASH_BYTES);
      leafHashInto(encodeTextLeaf(leaf), hash, 0);
      this.#text.set(index, { tokens: leaf.tokens, hash });
      return leaf.tokens;
    });
  }

  #textLeaves(): OpenedTree {
    const indices = [...this.#text.keys()].sort((a, b) => a - b);
    const leafHashes = Buffer.allocUnsafe(indices.length * HASH_BYTES);
    for (const [i, index] of indices.entries())
      leafHashes.set(this.#text.get(index)?.hash ?? [], i * HASH_BYTES);
    return { indices, leafHashes };
  }

  /** Reads the documents of all holders, by index. */
  #documents(proved: readonly ProvedStatement[]): ReadonlyMap<number, DocumentLeaf> {
    const holders = proved.flatMap((statement) => statement.holders);
    const indices = [...new Set(holders.map(({ document }) => document))].sort((a, b) => a - b);
    const documents = new Map<number, DocumentLeaf>();
    for (const index of indices) documents.set(index, readDocumentLeaf(this.#reader, this.#shape));
    for (const { position, document } of holders) {
      const leaf = documents.get(document);
      if (leaf === undefined || position < leaf.firstToken || position >= leaf.firstToken + leaf.tokens)
        throw new LedgerError('attribution.shard_proof', `document ${document} does not hold ${position}`);
    }
    return documents;
  }

  /** Checks opened leaves against the root. */
  #open(tree: ShardTree, { indices, leafHashes }: OpenedTree): void {
    if (indices.length === 0) return;
    const source = this.#reader.bytes;
    const opened = { indices, leafHashes, source, offset: this.#reader.at };
    const end = checkOpening(treeOfShard(this.#commitment, tree), opened);
    if (end === undefined)
      throw new LedgerError('attribution.shard_proof', `the opened leaves are not of the ${tree} tree`, {
        tree,
      });
    this.#reader.skipTo(end);
  }
}

function wrong(problem: string, statement: ShardStatement): LedgerError {
  const { kind, start, length, lo, hi } = statement;
  return new LedgerError('attribution.shard_proof', problem, { kind, start, length, lo, hi });
}

/** For each needed rank, ascending, the start of the first statement that needs it. */
export function startsOfRanks(
  statements: readonly ShardStatement[],
  tokens: number,
): ReadonlyMap<number, number> {
  const starts = new Map<number, number>();
  for (const statement of statements)
    for (const rank of ranksOf(statement, tokens)) if (!starts.has(rank)) starts.set(rank, statement.start);
  return starts;
}

/** Leaves of the suffix tree that hold these ranks, ascending. */
export function leavesOfRanks(
  ranks: ReadonlyMap<number, unknown>,
  entriesPerLeaf: number,
): readonly number[] {
  const leaves = new Set<number>();
  for (const rank of ranks.keys()) leaves.add(Math.floor(rank / entriesPerLeaf));
  return [...leaves].sort((a, b) => a - b);
}

/** Writes an entry as its leaf has it; the offset behind it. */
function writeEntryInput({ position, document, tokens }: SuffixEntry, from: number): number {
  let at = writeUint32(position, from);
  at = writeUint32(document, at);
  for (let i = 0; i < tokens.length && i < PREFIX_TOKENS; i++) at = writeUint32(tokens[i] ?? 0, at);
  return at;
}

function writeUint32(value: number, at: number): number {
  entriesInput[at] = value >>> 24;
  entriesInput[at + 1] = value >>> 16;
  entriesInput[at + 2] = value >>> 8;
  entriesInput[at + 3] = value;
  return at + 4;
}

function documentHashes(documents: ReadonlyMap<number, DocumentLeaf>): OpenedTree {
  const leafHashes = Buffer.allocUnsafe(documents.size * HASH_BYTES);
  let at = 0;
  for (const leaf of documents.values()) {
    leafHashInto(encodeDocumentLeaf(leaf), leafHashes, at);
    at += HASH_BYTES;
  }
  return { indices: [...documents.keys()], leafHashes };
}
