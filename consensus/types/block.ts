import { equalBytes } from '../../core/bytes.ts';
import { DecodeError } from '../../core/errors.ts';
import { merkleRoot } from '../../core/merkle.ts';
import { txHash } from '../../core/tx-hash.ts';
import { Block as BlockMessage } from '../../proto/gen/tendermint/types/block.ts';
import type { BlockId } from './block-id.ts';
import { type Commit, commitFromMessage, commitHash, commitToMessage } from './commit.ts';
import {
  type Evidence,
  evidenceElements,
  evidenceListFromMessage,
  evidenceListHash,
  evidenceToMessage,
} from './evidence.ts';
import { checkHeader, type Header, headerHash } from './header.ts';
import { BLOCK_BYTES_MAX, BLOCK_ELEMENTS_MAX } from './limits.ts';
import { type Part, partsOf } from './part-set.ts';

/** A block (tendermint.types.Block). */
export interface Block {
  readonly header: Header;
  readonly txs: readonly Uint8Array[];
  readonly evidence: readonly Evidence[];
  /** The precommits for the block before; `EMPTY_COMMIT` in the first block. */
  readonly lastCommit: Commit;
}

/** The header's `dataHash`: 32 bytes, over the hashes of the transactions. */
export function dataHash(txs: readonly Uint8Array[]): Uint8Array {
  return merkleRoot(txs.map(txHash));
}

/** Encodes a block: what is cut into parts. */
export function encodeBlock(block: Block): Uint8Array {
  return BlockMessage.encode({
    header: block.header,
    data: { txs: block.txs },
    evidence: { evidence: block.evidence.map(evidenceToMessage) },
    lastCommit: commitToMessage(block.lastCommit),
  });
}

/**
 * Reads a block and checks its form: header and commit well formed, and each hash in the header that of
 * what stands in the block (CometBFT `Block.ValidateBasic`). Says nothing about whether it follows from the
 * state.
 * @throws DecodeError on the first thing wrong
 */
export function decodeBlock(bytes: Uint8Array): Block {
  if (bytes.length > BLOCK_BYTES_MAX) throw new DecodeError('block: too large', { bytes: bytes.length });
  const message = BlockMessage.decode(bytes, { elementsMax: BLOCK_ELEMENTS_MAX });
  if (message.lastCommit === undefined) throw new DecodeError('block: last commit is missing');
  return checkBlock({
    header: message.header,
    txs: message.data.txs,
    evidence: evidenceListFromMessage(message.evidence),
    lastCommit: commitFromMessage(message.lastCommit),
  });
}

/**
 * Checks the header and the hashes in it.
 * @throws DecodeError on the first thing wrong
 */
export function checkBlock(block: Block): Block {
  const { header } = block;
  checkHeader(header);
  if (!equalBytes(header.lastCommitHash, commitHash(block.lastCommit))) {
    throw new DecodeError('block: wrong last commit hash', { height: header.height });
  }
  if (!equalBytes(header.dataHash, dataHash(block.txs))) {
    throw new DecodeError('block: wrong data hash', { height: header.height });
  }
  if (!equalBytes(header.evidenceHash, evidenceListHash(block.evidence))) {
    throw new DecodeError('block: wrong evidence hash', { height: header.height });
  }
  return block;
}

/** A block ready to be proposed: its encoding, its parts and its id. */
export interface CutBlock {
  readonly bytes: Uint8Array;
  readonly parts: readonly Part[];
  readonly blockId: BlockId;
}

/** Encodes a block and cuts it into parts. */
export function cutBlock(block: Block): CutBlock {
  const bytes = encodeBlock(block);
  const { header, parts } = partsOf(bytes);
  return { bytes, parts, blockId: { hash: headerHash(block.header), partSetHeader: header } };
}

/** Bytes of the encoding around header, data, evidence and commit (CometBFT `MaxOverheadForBlock`). */
const BLOCK_OVERHEAD_BYTES = 11n;
/** Most bytes of an encoded header (CometBFT `MaxHeaderBytes`). */
const HEADER_BYTES_MAX = 626n;
const COMMIT_OVERHEAD_BYTES = 94n;
const COMMIT_ENTRY_BYTES = 111n;

/**
 * Bytes left for transactions in a block of at most `blockBytesMax`, beside that much evidence and a full
 * commit of that many validators; never below 0 (CometBFT `MaxDataBytes`).
 */
export function dataBytesMax(room: {
  readonly blockBytesMax: bigint;
  readonly evidenceBytes: bigint;
  readonly validators: number;
}): bigint {
  const bytes = room.blockBytesMax === -1n ? BigInt(BLOCK_BYTES_MAX) : room.blockBytesMax;
  const commit = COMMIT_OVERHEAD_BYTES + COMMIT_ENTRY_BYTES * BigInt(room.validators);
  const left = bytes - BLOCK_OVERHEAD_BYTES - HEADER_BYTES_MAX - commit - room.evidenceBytes;
  return left > 0n ? left : 0n;
}

/**
 * How many transactions a block may have beside this evidence and commit, so that others decode it
 * (`BLOCK_ELEMENTS_MAX`). Evidence alone never reaches that: it is bounded in bytes, and an element of a
 * signed commit with its validators has fifty.
 */
export function blockTxsMax(beside: Pick<Block, 'evidence' | 'lastCommit'>): number {
  const taken = beside.lastCommit.signatures.length + evidenceElements(beside.evidence);
  return Math.max(0, BLOCK_ELEMENTS_MAX - taken);
}
