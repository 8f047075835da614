/**
 * Convicts wrong shards. `../README.md` argues that every wrong shard has one of these frauds and no right
 * one has any.
 *
 * | kind | `at` | shows |
 * | --- | --- | --- |
 * | root | | a root binds another kind or number of leaves than the commitment's sizes give |
 * | malformed-leaf | | a leaf that cannot stand at its place |
 * | permutation | position p | SA[ISA[p]] ≠ p |
 * | token-order | rank r | the first token falls from r to r + 1 |
 * | suffix-order | rank r | first tokens are equal, and what follows stands the other way round |
 * | prefix | rank | a token of the entry is not that of the text |
 * | entry-document | rank | the document of the entry does not hold its position |
 * | text-link | text leaf i | it does not begin where i − 1 ends; the first at the start, the last at n |
 * | text-token | position | the token is not that of the content at its place |
 * | document-end | position | a separator, but its document's range ends elsewhere |
 * | document-range | document d | d does not begin where d − 1 ends; the first at 0, the last at n |
 * | document-record | document | it is not the contribution at its place in the Datanet |
 * | salt | | the salt of a leaf is not made from the secret that is committed to, which is shown with it |
 */
import { copyBytes, equalBytes } from '../../../../core/bytes.ts';
import { LedgerError } from '../../../../core/errors.ts';
import type { ShardCommitment } from '../../../../proto/gen/openledger/attribution/v1/attribution.ts';
import { LEAF_TOKENS, SHARD_TREES, type ShardTree } from '../kinds.ts';
import { SEPARATOR } from '../tokenise.ts';
import { committedRoot, type Opening, verifyOpening } from '../tree.ts';
import { checkCommitment, leafCount, rootOf, treeOfShard } from './commitment.ts';
import {
  type LeafFraud,
  OPENS,
  type RootFraud,
  type SaltFraud,
  type ShardFraud,
  type StatementFraud,
} from './fraud-format.ts';
import {
  type DocumentLeaf,
  decodeDocumentLeaf,
  decodeInverseLeaf,
  decodeSuffixLeaf,
  decodeTextLeaf,
  leafProblem,
  type PlacedLeaf,
  SALT_BYTES,
  type SuffixEntry,
  type TextLeaf,
} from './leaves.ts';
import { leafSalt, saltCommitment } from './salts.ts';
import { indexedLength, placeInLeaf, type TextPlace, tokenOfContent } from './text-walk.ts';

/** A contribution of a Datanet, as the chain has it. */
export interface ContributionRecord {
  readonly contributionId: bigint;
  /** Bytes of the address. */
  readonly contributor: Uint8Array;
  readonly root: Uint8Array;
  readonly byteLength: bigint;
  /** Accepted, and neither withdrawn nor slashed: no shard may have left it out. */
  readonly accepted: boolean;
}

/** What a fraud proof needs of the chain. */
export interface FraudChain {
  /** The contribution at a position of a Datanet's log; undefined when there is none. */
  recordAt(datanetId: bigint, position: bigint): ContributionRecord | undefined;
}

/** Code of the error of a proof that shows no fraud. */
export const NO_FRAUD = 'attribution.no_fraud';

function refuse(problem: string, facts: Readonly<Record<string, unknown>> = {}): LedgerError {
  return new LedgerError(NO_FRAUD, `not a fraud: ${problem}`, facts);
}

/**
 * Returns when the proof convicts the shard.
 * @throws LedgerError (`attribution.no_fraud`) when it shows nothing wrong, or opens other leaves than its
 * kind asks for, or leaves that are not the shard's; DecodeError when it opens a malformed leaf under another
 * kind; LedgerError (`attribution.shard_commitment`) for a commitment of impossible form
 */
export function verifyFraud(commitment: ShardCommitment, fraud: ShardFraud, chain: FraudChain): void {
  checkCommitment(commitment);
  const problem = problemOf(commitment, fraud, chain);
  if (problem !== undefined) throw refuse(problem, { kind: fraud.kind });
}

/** Why a fraud proof does not convict; undefined when it does. */
function problemOf(commitment: ShardCommitment, fraud: ShardFraud, chain: FraudChain): string | undefined {
  switch (fraud.kind) {
    case 'root':
      return rootProblem(commitment, fraud);
    case 'malformed-leaf':
      return malformedProblem(commitment, fraud);
    case 'salt':
      return saltProblem(commitment, fraud);
    default:
      return statementHolds(new OpenedLeaves(commitment, fraud), fraud, chain)
        ? 'what it opens is as it should be'
        : undefined;
  }
}

function rootProblem(
  commitment: ShardCommitment,
  { tree, boundKind, leaves, root }: RootFraud,
): string | undefined {
  if (!equalBytes(committedRoot({ kind: boundKind, leaves, root }), rootOf(commitment, tree)))
    return `the ${tree} root is the hash of something else`;
  const right = boundKind === SHARD_TREES[tree] && leaves === leafCount(commitment, tree);
  return right ? `the ${tree} root has the right kind and number of leaves` : undefined;
}

/** The one leaf that is opened. @throws LedgerError when it is not one leaf of the shard */
function onlyLeaf(
  commitment: ShardCommitment,
  { tree, opened }: Pick<LeafFraud, 'tree' | 'opened'>,
): PlacedLeaf {
  const [index, another] = opened.indices;
  const [bytes] = opened.leaves;
  if (index === undefined || bytes === undefined || another !== undefined)
    throw refuse('one leaf has to be opened');
  if (!verifyOpening(treeOfShard(commitment, tree), opened))
    throw refuse(`the leaf is not of the ${tree} tree`);
  return { tree, index, bytes };
}

function malformedProblem(commitment: ShardCommitment, fraud: LeafFraud): string | undefined {
  const leaf = onlyLeaf(commitment, fraud);
  return leafProblem(commitment, leaf) === undefined ? 'the leaf is well-formed' : undefined;
}

function saltProblem(commitment: ShardCommitment, fraud: SaltFraud): string | undefined {
  if (!commitment.salted) return 'the shard has no salts';
  if (!equalBytes(saltCommitment(commitment, fraud.secret), commitment.saltCommitment))
    return 'the secret is not the one that is committed to';
  const leaf = onlyLeaf(commitment, fraud);
  if (leafProblem(commitment, leaf) !== undefined) return 'the leaf is malformed, and convicts as that';
  const salt = copyBytes(leaf.bytes, 1, 1 + SALT_BYTES);
  return equalBytes(salt, leafSalt(fraud.secret, leaf.tree, leaf.index))
    ? 'the salt is made from the secret'
    : undefined;
}

/** The leaves that a fraud proof opens, each looked up by what it has to hold. */
class OpenedLeaves {
  readonly commitment: ShardCommitment;
  readonly #openings = new Map<ShardTree, Opening>();
  readonly #used = new Map<ShardTree, Set<number>>();

  constructor(commitment: ShardCommitment, { kind, opened }: StatementFraud) {
    this.commitment = commitment;
    const trees = OPENS[kind];
    if (opened.length !== trees.length) throw refuse('it does not open the trees of its kind');
    for (const [i, tree] of trees.entries()) {
      const opening = opened[i];
      if (opening === undefined) continue;
      const nothing =
        opening.indices.length === 0 && opening.leaves.length === 0 && opening.hashes.length === 0;
      if (!nothing && !verifyOpening(treeOfShard(commitment, tree), opening))
        throw refuse(`the opened leaves are not of the ${tree} tree`);
      this.#openings.set(tree, opening);
      this.#used.set(tree, new Set());
    }
  }

  #bytes(tree: ShardTree, index: number): Uint8Array {
    const opening = this.#openings.get(tree);
    const leaf = opening?.leaves[opening.indices.indexOf(index)];
    if (leaf === undefined) throw refuse(`it does not open leaf ${index} of the ${tree} tree`);
    this.#used.get(tree)?.add(index);
    return leaf;
  }

  text(index: number): TextLeaf {
    return decodeTextLeaf(this.commitment, index, this.#bytes('text', index));
  }

  entry(rank: number): SuffixEntry {
    const { entriesPerLeaf } = this.commitment;
    const index = Math.floor(rank / entriesPerLeaf);
    const { entries } = decodeSuffixLeaf(this.commitment, index, this.#bytes('suffix', index));
    return present(entries[rank - index * entriesPerLeaf]);
  }

  /** Rank of the suffix at a position; −1 at the end of the text. */
  rankAt(position: number): number {
    if (position === this.commitment.tokens) return -1;
    const index = Math.floor(position / LEAF_TOKENS);
    const { ranks } = decodeInverseLeaf(this.commitment, index, this.#bytes('inverse', index));
    return present(ranks[position - index * LEAF_TOKENS]);
  }

  document(index: number): DocumentLeaf {
    return decodeDocumentLeaf(this.commitment, index, this.#bytes('documents', index));
  }

  /** @throws LedgerError when it opens more than was looked at */
  end(): void {
    for (const [tree, { indices }] of this.#openings)
      if (indices.length !== this.#used.get(tree)?.size) throw refuse(`it opens more of the ${tree} tree`);
  }

  /** Index of the only opened leaf of a tree. */
  only(tree: ShardTree): number {
    const indices = this.#openings.get(tree)?.indices ?? [];
    const [index] = indices;
    if (index === undefined || indices.length > 1)
      throw refuse(`it has to open one leaf of the ${tree} tree`);
    return index;
  }
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw refuse('its place is not in the shard');
  return value;
}

/** Whether the statement holds in the opened leaves: it does in every right shard. */
function statementHolds(leaves: OpenedLeaves, fraud: StatementFraud, chain: FraudChain): boolean {
  const holds = evaluate(leaves, fraud, chain);
  leaves.end();
  return holds;
}

function evaluate(leaves: OpenedLeaves, fraud: StatementFraud, chain: FraudChain): boolean {
  const { kind, at } = fraud;
  switch (kind) {
    case 'permutation':
      return leaves.entry(inside(leaves.rankAt(inside(at, leaves)), leaves)).position === at;
    case 'token-order':
      return firstToken(leaves.entry(at)) <= firstToken(leaves.entry(at + 1));
    case 'suffix-order':
      return inOrder(leaves, at);
    case 'prefix':
      return prefixHolds(leaves, leaves.entry(at));
    case 'entry-document': {
      const { position, document } = leaves.entry(at);
      const { firstToken: first, tokens } = leaves.document(document);
      return first <= position && position < first + tokens;
    }
    case 'text-link':
      return textLinks(leaves, at);
    case 'text-token':
      return tokenHolds(leaves, fraud);
    case 'document-end': {
      const { document, token } = tokenAt(leaves, at);
      if (token !== SEPARATOR) throw refuse('there is no separator');
      const { firstToken: first, tokens } = leaves.document(document);
      return first + tokens === at + 1;
    }
    case 'document-range':
      return rangesMeet(leaves, at);
    case 'document-record':
      return isRecorded(leaves, at, chain);
  }
}

/** A position or rank of the shard; the end of the text is none. */
function inside(at: number, { commitment }: OpenedLeaves): number {
  if (at < 0 || at >= commitment.tokens) throw refuse('its place is not in the shard');
  return at;
}

function firstToken({ tokens }: SuffixEntry): number {
  return present(tokens[0]);
}

/** Of neighbours in rank with equal first tokens, whether the suffixes behind these stand in the same order. */
function inOrder(leaves: OpenedLeaves, rank: number): boolean {
  const smaller = leaves.entry(rank);
  const larger = leaves.entry(rank + 1);
  if (firstToken(smaller) !== firstToken(larger)) throw refuse('the first tokens differ');
  return leaves.rankAt(smaller.position + 1) < leaves.rankAt(larger.position + 1);
}

/** Whether an entry has the tokens of the opened text leaf, where both have some. */
function prefixHolds(leaves: OpenedLeaves, { position, tokens }: SuffixEntry): boolean {
  const index = leaves.only('text');
  const text = leaves.text(index);
  const shift = position - index * LEAF_TOKENS;
  return tokens.every((token, i) => {
    const there = text.tokens[shift + i];
    return there === undefined || there === token;
  });
}

/** Whether text leaf `index` begins where the one before ends, or the text ends behind the last. */
function textLinks(leaves: OpenedLeaves, index: number): boolean {
  const { commitment } = leaves;
  const count = leafCount(commitment, 'text');
  if (index > count) throw refuse('its place is not in the shard');
  const start: TextPlace = { document: 0, offset: 0 };
  const end: TextPlace = { document: commitment.documents, offset: 0 };
  const before = index === 0 ? start : behind(leaves.text(index - 1));
  const next = index === count ? end : leaves.text(index);
  return before.document === next.document && before.offset === next.offset;
}

function behind(leaf: TextLeaf): TextPlace {
  return placeInLeaf(leaf, leaf.tokens.length);
}

/** The token at a position, and where it stands in which document. */
function tokenAt(leaves: OpenedLeaves, position: number): TextPlace & { readonly token: number } {
  const index = Math.floor(inside(position, leaves) / LEAF_TOKENS);
  const leaf = leaves.text(index);
  const at = position - index * LEAF_TOKENS;
  return { ...placeInLeaf(leaf, at), token: present(leaf.tokens[at]) };
}

/** Whether a token is that of the content at its place. */
function tokenHolds(leaves: OpenedLeaves, { at, content }: StatementFraud): boolean {
  const { document, offset, token } = tokenAt(leaves, at);
  const leaf = leaves.document(document);
  const length = indexedLength(leaf);
  if (offset >= length) {
    if (content.chunks.length > 0 || content.hashes.length > 0) throw refuse('it opens content for nothing');
    return offset === length && token === SEPARATOR;
  }
  const expected = tokenOfContent(leaf, offset, content);
  if (expected === undefined) throw refuse('the opened chunks are not those of the content there');
  return token === expected;
}

/** Whether document `index` begins where the one before ends, or the text ends behind the last. */
function rangesMeet(leaves: OpenedLeaves, index: number): boolean {
  const { documents, tokens } = leaves.commitment;
  if (index > documents) throw refuse('its place is not in the shard');
  const before = index === 0 ? undefined : leaves.document(index - 1);
  const end = before === undefined ? 0 : before.firstToken + before.tokens;
  return end === (index === documents ? tokens : leaves.document(index).firstToken);
}

/** Whether a document is the contribution at its place; one that is withdrawn may be a tombstone. */
function isRecorded(leaves: OpenedLeaves, index: number, chain: FraudChain): boolean {
  const { datanetId, firstPosition } = leaves.commitment;
  const leaf = leaves.document(index);
  const record = chain.recordAt(datanetId, firstPosition + BigInt(index));
  if (record === undefined) throw refuse('the chain has no contribution there');
  if (leaf.contributionId !== record.contributionId || BigInt(leaf.byteLength) !== record.byteLength)
    return false;
  if (!equalBytes(leaf.contributor, record.contributor) || !equalBytes(leaf.root, record.root)) return false;
  return !(leaf.tombstone && record.accepted);
}
