/**
 * What checking proofs and frauds of shards takes. A statement says how many ranks it needs and how long its
 * pattern is; that bounds the leaves, the comparisons, and, with the bytes that are there, the openings.
 */
import { DecodeError } from '../../../../core/errors.ts';
import { HASH_BYTES } from '../../../../core/hash.ts';
import { LEAF_TOKENS, PREFIX_TOKENS } from '../kinds.ts';
import type { Opening } from '../tree.ts';
import { FIXED_WORK, sumOfWork, type Work, workOfOpening } from '../work.ts';
import { ProofReader } from './bytes.ts';
import { checkCommitment, leafCount } from './commitment.ts';
import {
  PROOF_BYTES_MAX,
  type ProofHead,
  proofShape,
  ranksNeeded,
  readHead,
  type ShardStatement,
} from './format.ts';
import type { ShardFraud } from './fraud-format.ts';
import { SALT_BYTES } from './leaves.ts';
import type { ShardProofRequest } from './verify.ts';

/** Bytes of a leaf besides its entries, tokens or document: hash prefix, kind. */
const HEAD_BYTES = 2;
const ENTRY_BYTES: number = 8 + 4 * PREFIX_TOKENS;
const TEXT_BYTES: number = 8 + 4 * LEAF_TOKENS;
/** Fixed fields of a document. */
const DOCUMENT_BYTES = 66;

/**
 * Steps that are no hashes, as the bytes that take as long (`npm run bench -- --only evidence`): reading and
 * placing a statement, an entry, a text leaf, a document; looking at a token of the query; comparing a token.
 */
const STEPS = { statement: 128, entry: 64, text: 256, document: 256, queryToken: 2, comparison: 1 } as const;

/**
 * Work of `verifyShardProof`, from the first bytes of the proof and its length.
 * @throws DecodeError when these are not the first bytes of some proof; LedgerError
 * (`attribution.shard_commitment`) for a commitment of impossible form
 */
export function workOfShardProof({ commitment, query, proof }: ShardProofRequest): Work {
  checkCommitment(commitment);
  if (proof.length > PROOF_BYTES_MAX) throw new DecodeError('proof is too long', { length: proof.length });
  const reader = new ProofReader(proof);
  const head = readHead(reader, proofShape(commitment), query);
  const { entriesPerLeaf, salted, documents } = commitment;
  const of = neededBy(head, entriesPerLeaf);
  const suffix = Math.min(of.suffixLeaves, leafCount(commitment, 'suffix'));
  const text = Math.min(of.textLeaves, leafCount(commitment, 'text'));
  const holders = head.withDocuments ? Math.min(of.holders, documents) : 0;
  const leaves = suffix + text + holders;
  const entries = suffix * entriesPerLeaf;
  const opened = workOfOpening({
    leaves,
    leafBytes:
      leaves * (HEAD_BYTES + (salted ? SALT_BYTES : 0)) +
      entries * ENTRY_BYTES +
      text * TEXT_BYTES +
      holders * DOCUMENT_BYTES,
    hashes: Math.floor(reader.left / HASH_BYTES),
  });
  const steps =
    head.statements.length * STEPS.statement +
    entries * STEPS.entry +
    text * STEPS.text +
    holders * STEPS.document +
    query.length * STEPS.queryToken +
    of.comparisons * STEPS.comparison;
  return sumOfWork([FIXED_WORK, opened, { hashes: 0, bytes: proof.length + steps }]);
}

/** Upper bounds of what the statements of a proof need. */
function neededBy({ statements }: ProofHead, entriesPerLeaf: number) {
  let [suffixLeaves, textLeaves, holders, comparisons] = [0, 0, 0, 0];
  for (const statement of statements) {
    const compared = suffixesCompared(statement);
    // Ranks of holders are neighbours.
    const neighbours = 1 + Math.ceil((ranksNeeded(statement) - 1) / entriesPerLeaf);
    suffixLeaves += statement.kind === 'holders' ? neighbours : ranksNeeded(statement);
    if (statement.kind !== 'count') holders += statement.hi - statement.lo;
    textLeaves += compared * textLeavesOf(statement);
    comparisons += compared * statement.length;
  }
  return { suffixLeaves, textLeaves, holders, comparisons };
}

/** Of a statement that has holders, at most the two ends of its ranks and their neighbours. */
function suffixesCompared({ kind }: ShardStatement): number {
  return kind === 'occurrence' ? 1 : 4;
}

/** Leaves over which what an entry does not hold of a pattern can spread. */
function textLeavesOf({ length }: ShardStatement): number {
  return length <= PREFIX_TOKENS ? 0 : 1 + Math.ceil((length - PREFIX_TOKENS) / LEAF_TOKENS);
}

/** Bytes of a decoded leaf cost more than those of a hash: every number of it is read. */
const READ_STEPS = 2;

/** What a secret is held against: a hash of three blocks, and an HMAC, which is two of two each. */
const SALT_WORK: Work = { hashes: 3, bytes: 7 * 64 };

/** Work of `verifyFraud`. */
export function workOfFraud(fraud: ShardFraud): Work {
  return sumOfWork([FIXED_WORK, ...partsOf(fraud)]);
}

function partsOf(fraud: ShardFraud): readonly Work[] {
  const ofOpening = ({ leaves, hashes }: Opening): Work => workOfLeaves(leaves, hashes.length / HASH_BYTES);
  switch (fraud.kind) {
    case 'root':
      return [workOfOpening({ leaves: 0, leafBytes: HASH_BYTES, hashes: 1 })];
    case 'malformed-leaf':
      return [ofOpening(fraud.opened)];
    case 'salt':
      return [ofOpening(fraud.opened), SALT_WORK];
    default: {
      const { chunks, hashes } = fraud.content;
      return [...fraud.opened.map(ofOpening), workOfLeaves(chunks, hashes.length)];
    }
  }
}

function workOfLeaves(leaves: readonly Uint8Array[], hashes: number): Work {
  const leafBytes = leaves.reduce((sum, leaf) => sum + leaf.length, 0);
  return workOfOpening({ leaves: leaves.length, leafBytes: (1 + READ_STEPS) * leafBytes, hashes });
}
