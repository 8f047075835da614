/**
 * The compact format of proofs about one shard; its byte table is in `../README.md`. A proof carries several
 * statements, which share one opening of each tree. What the verifier knows is not in it: the query (the
 * tokens that patterns are parts of), which leaves the statements need, and which hashes these need. Tokens
 * that agree with the query or with the entry before are left out.
 */
import { EMPTY_BYTES, copyBytes } from '../../../../core/bytes.ts';
import { DecodeError } from '../../../../core/errors.ts';
import { HASH_BYTES } from '../../../../core/hash.ts';
import { readUvarint, encodeUvarint } from '../../../../core/varint.ts';
import type { ShardCommitment } from '../../../../proto/gen/openledger/attribution/v1/attribution.ts';
import { LEAF_TOKENS, PREFIX_TOKENS } from '../kinds.ts';
import { SEPARATOR } from '../tokenise.ts';
import { type ProofReader, type ProofWriter, widthOf } from './bytes.ts';
import { type DocumentLeaf, SALT_BYTES, type SuffixEntry, type TextLeaf } from './leaves.ts';

/** First byte of a proof without documents; with them it is one more. */
export const PROOF_VERSION = 0x10;

/** Longest proof. */
export const PROOF_BYTES_MAX: number = 2 ** 18;
/** Most statements of a proof. */
export const STATEMENTS_MAX = 256;
/** Longest pattern, in tokens: what nobody can prove, nobody can disprove, so claims take no longer ones. */
export const PATTERN_TOKENS_MAX = 4096;
/** Most tokens of all patterns of a proof together: each is compared with four suffixes. */
export const PATTERNS_TOKENS_MAX: number = 2 ** 17;
/** Most ranks that the statements of a proof need, each counted as often as it is needed. */
export const RANKS_MAX = 4096;

/**
 * What is said of a pattern, which is `length` tokens of the query from `start`:
 *
 * - count: the suffixes of ranks `lo` to `hi` (exclusive) begin with it and no others do. With `lo` = `hi` it
 *   does not occur, and `lo` is where it would stand;
 * - holders: the same, and every one of them is opened, so that nobody who holds it is left out;
 * - occurrence: the suffix of rank `lo` begins with it; `hi` is `lo` + 1.
 */
export interface ShardStatement {
  readonly kind: 'count' | 'holders' | 'occurrence';
  readonly start: number;
  readonly length: number;
  readonly lo: number;
  readonly hi: number;
}

const KINDS: readonly ShardStatement['kind'][] = ['count', 'holders', 'occurrence'];

/**
 * Order of statements in a proof: by start, length, kind, first rank. They rise strictly, so that a proof
 * says nothing twice and a set of statements has one encoding.
 */
export function compareStatements(a: ShardStatement, b: ShardStatement): number {
  return (
    a.start - b.start || a.length - b.length || KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) || a.lo - b.lo
  );
}

/** Ranks that a statement needs, ascending. */
export function ranksOf({ kind, lo, hi }: ShardStatement, tokens: number): readonly number[] {
  if (kind === 'occurrence') return [lo];
  const ranks = lo > 0 ? [lo - 1] : [];
  if (kind === 'holders') for (let rank = lo; rank < hi; rank++) ranks.push(rank);
  else {
    if (lo < hi) ranks.push(lo);
    if (lo + 1 < hi) ranks.push(hi - 1);
  }
  if (hi < tokens) ranks.push(hi);
  return ranks;
}

/** What decoding needs of a commitment, and what follows from it. */
export interface ProofShape {
  readonly commitment: ShardCommitment;
  /** Bytes of a rank or a position. */
  readonly rankBytes: number;
  /** Bytes of the index of a document. */
  readonly documentBytes: number;
}

/** The shape of proofs about a shard. */
export function proofShape(commitment: ShardCommitment): ProofShape {
  return {
    commitment,
    rankBytes: widthOf(commitment.tokens + 1),
    documentBytes: widthOf(commitment.documents),
  };
}

/** Writes a statement. */
export function writeStatement(writer: ProofWriter, shape: ProofShape, statement: ShardStatement): void {
  const { kind, start, length, lo, hi } = statement;
  writer.uint(KINDS.indexOf(kind), 1);
  writer.varint(start);
  writer.varint(length);
  writer.uint(lo, shape.rankBytes);
  if (kind !== 'occurrence') writer.varint(hi - lo);
}

/** Reads a statement. @throws DecodeError when it names ranks or tokens that are not there */
export function readStatement(reader: ProofReader, shape: ProofShape, query: Uint32Array): ShardStatement {
  const kind = KINDS[reader.u8()];
  if (kind === undefined) throw new DecodeError('proof: has a statement of an unknown kind');
  const start = reader.varint();
  const length = reader.varint();
  reader.check(length >= 1 && length <= PATTERN_TOKENS_MAX, 'has a pattern that is empty or too long');
  reader.check(start + length <= query.length, 'has a pattern behind the end of the query');
  const lo = reader.uint(shape.rankBytes);
  const hi = kind === 'occurrence' ? lo + 1 : lo + reader.varint();
  reader.check(hi <= shape.commitment.tokens, 'has ranks behind the last one');
  reader.check(kind !== 'holders' || lo < hi, 'names the holders of what does not occur');
  return { kind, start, length, lo, hi };
}

/** What stands before the leaves of a proof. */
export interface ProofHead {
  readonly withDocuments: boolean;
  readonly statements: readonly ShardStatement[];
}

/** Reads the version and the statements. @throws DecodeError when there are too many, or they do not rise */
export function readHead(reader: ProofReader, shape: ProofShape, query: Uint32Array): ProofHead {
  const version = reader.u8();
  reader.check((version & ~1) === PROOF_VERSION, 'has another version');
  const count = reader.varint();
  reader.check(count >= 1 && count <= STATEMENTS_MAX, 'has no statements or too many');
  const statements: ShardStatement[] = [];
  let ranks = 0;
  let tokens = 0;
  for (let i = 0; i < count; i++) {
    const statement = readStatement(reader, shape, query);
    ranks += ranksNeeded(statement);
    tokens += statement.length;
    reader.check(ranks <= RANKS_MAX && tokens <= PATTERNS_TOKENS_MAX, 'says too much');
    const before = statements.at(-1);
    const rises = before === undefined || compareStatements(before, statement) < 0;
    reader.check(rises, 'says something twice, or not in order');
    statements.push(statement);
  }
  return { withDocuments: version !== PROOF_VERSION, statements };
}

/** How many ranks a statement needs at most. */
export function ranksNeeded({ kind, lo, hi }: ShardStatement): number {
  if (kind === 'holders') return 2 + hi - lo;
  return kind === 'count' ? 4 : 1;
}

/** What tokens are left out against: the entry of the opened rank before, and the query from `start` on. */
export interface EntryReference {
  readonly previous: readonly number[];
  readonly query: Uint32Array;
  /** Start of the first statement that needs the rank; undefined when none does. */
  readonly start: number | undefined;
}

/** First byte of an entry: twice the leading tokens that it has as the entry before, or as the query, plus one. */
function headOfEntry(tokens: readonly number[], { previous, query, start }: EntryReference): number {
  let before = 0;
  while (before < tokens.length && tokens[before] === previous[before]) before++;
  let asked = 0;
  if (start !== undefined) while (asked < tokens.length && tokens[asked] === query[start + asked]) asked++;
  return asked > before ? 2 * asked + 1 : 2 * before;
}

/** Writes an entry of the suffix tree, without the leading tokens that the reference has. */
export function writeEntry(
  writer: ProofWriter,
  shape: ProofShape,
  { entry, reference }: { readonly entry: SuffixEntry; readonly reference: EntryReference },
): void {
  const head = headOfEntry(entry.tokens, reference);
  writer.uint(head, 1);
  writer.uint(entry.position, shape.rankBytes);
  writer.uint(entry.document, shape.documentBytes);
  writer.tokens(entry.tokens, head >> 1);
}

/** Reads an entry of the suffix tree. @throws DecodeError when it has another form than `writeEntry` gives */
export function readEntry(reader: ProofReader, shape: ProofShape, reference: EntryReference): SuffixEntry {
  const { previous, query, start } = reference;
  const head = reader.u8();
  const shared = head >> 1;
  reader.check(shared <= PREFIX_TOKENS, 'leaves out more tokens than there are');
  const position = reader.uint(shape.rankBytes);
  const document = reader.uint(shape.documentBytes);
  const { tokens: n, documents } = shape.commitment;
  reader.check(position < n && document < documents, 'has a position or document that is not there');
  const tokens: number[] = [];
  for (let i = 0; i < shared; i++) {
    const token = (head & 1) === 0 ? previous[i] : query[(start ?? query.length) + i];
    if (token === undefined) throw new DecodeError('proof: leaves out tokens that nothing has');
    reader.check(token !== SEPARATOR || i + 1 === shared, 'goes on behind the end of a document');
    tokens.push(token);
  }
  if (tokens[tokens.length - 1] !== SEPARATOR) reader.tokens(tokens, PREFIX_TOKENS, SEPARATOR);
  reader.check(position + tokens.length <= n, 'has tokens behind the last one');
  reader.check(head === headOfEntry(tokens, reference), 'leaves out other tokens than it could');
  return { position, document, tokens };
}

/** Where a text leaf is needed first: by an entry, of whose tokens the query gives those from `start` on. */
export interface TextReference {
  readonly position: number;
  readonly query: Uint32Array;
  readonly start: number;
}

/** First position of a text leaf that can be left out, and how many agree with the query from there. */
function textAgreement(first: number, tokens: readonly number[], reference: TextReference) {
  const { position, query, start } = reference;
  const from = Math.max(0, position - first);
  let until = from;
  while (until < tokens.length && tokens[until] === query[start + first + until - position]) until++;
  return { from, agreed: until - from };
}

/** Writes a text leaf. */
export function writeTextLeaf(
  writer: ProofWriter,
  shape: ProofShape,
  {
    index,
    leaf,
    reference,
  }: { readonly index: number; readonly leaf: TextLeaf; readonly reference: TextReference },
): void {
  const { from, agreed } = textAgreement(index * LEAF_TOKENS, leaf.tokens, reference);
  writer.raw(leaf.salt);
  writer.uint(leaf.document, shape.documentBytes);
  writer.varint(leaf.offset);
  writer.uint(agreed, 1);
  writer.tokens([...leaf.tokens.slice(0, from), ...leaf.tokens.slice(from + agreed)], 0);
}

/** Reads a text leaf. @throws DecodeError when it has another form than `writeTextLeaf` gives */
export function readTextLeaf(
  reader: ProofReader,
  shape: ProofShape,
  { index, reference }: { readonly index: number; readonly reference: TextReference },
): TextLeaf {
  const first = index * LEAF_TOKENS;
  const count = Math.min(LEAF_TOKENS, shape.commitment.tokens - first);
  const salt = readSalt(reader, shape);
  const document = reader.uint(shape.documentBytes);
  reader.check(document < shape.commitment.documents, 'has a document that is not there');
  const offset = reader.varint();
  reader.check(offset < 2 ** 32, 'has an offset that is too large');
  const agreed = reader.u8();
  const { position, query, start } = reference;
  const from = Math.max(0, position - first);
  reader.check(agreed <= count - from, 'leaves out more tokens than there are');
  const asked = start + first + from - position;
  reader.check(agreed === 0 || asked + agreed <= query.length, 'leaves out tokens that nothing has');
  const sent: number[] = [];
  reader.tokens(sent, count - agreed, undefined);
  const tokens: number[] = [];
  for (let i = 0; i < count; i++) {
    const isLeftOut = i >= from && i < from + agreed;
    tokens.push((isLeftOut ? query[asked + i - from] : sent[i < from ? i : i - agreed]) ?? 0);
  }
  const { agreed: most } = textAgreement(first, tokens, reference);
  reader.check(most === agreed, 'leaves out fewer tokens than it could');
  return { document, offset, tokens, salt };
}

/** The salt of a leaf; none in a shard without. */
export function readSalt(reader: ProofReader, shape: ProofShape): Uint8Array {
  if (!shape.commitment.salted) return EMPTY_BYTES;
  const from = reader.raw(SALT_BYTES);
  return copyBytes(from, 0, SALT_BYTES);
}

/** Writes a document leaf. */
export function writeDocumentLeaf(writer: ProofWriter, shape: ProofShape, leaf: DocumentLeaf): void {
  writer.raw(leaf.salt);
  writer.raw(encodeUvarint(leaf.contributionId));
  writer.uint(leaf.tombstone ? 1 : 0, 1);
  writer.uint(leaf.contributor.length, 1);
  writer.raw(leaf.contributor);
  writer.raw(leaf.root);
  writer.varint(leaf.byteLength);
  writer.uint(leaf.firstToken, shape.rankBytes);
  writer.uint(leaf.tokens, shape.rankBytes);
}

/** Reads a document leaf. @throws DecodeError on what `writeDocumentLeaf` does not write */
export function readDocumentLeaf(reader: ProofReader, shape: ProofShape): DocumentLeaf {
  const salt = readSalt(reader, shape);
  const { value: contributionId, next } = readUvarint(reader.bytes, reader.at);
  const canonical = next - reader.at === 1 || reader.bytes[next - 1] !== 0;
  reader.skipTo(next);
  reader.check(canonical, 'has a number with leading zeros');
  const flags = reader.u8();
  reader.check(flags <= 1, 'has unknown flags');
  const length = reader.u8();
  reader.check(length > 0, 'has no contributor');
  const contributor = copyBytes(reader.raw(length), 0, length);
  const root = copyBytes(reader.raw(HASH_BYTES), 0, HASH_BYTES);
  const byteLength = reader.varint();
  const firstToken = reader.uint(shape.rankBytes);
  const tokens = reader.uint(shape.rankBytes);
  const tombstone = flags === 1;
  const inside = tokens >= 1 && firstToken + tokens <= shape.commitment.tokens;
  reader.check(inside && (!tombstone || tokens === 1), 'has a document with an impossible range');
  return { contributionId, tombstone, contributor, root, byteLength, firstToken, tokens, salt };
}
