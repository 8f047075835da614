import { EMPTY_BYTES } from '../../core/bytes.ts';
import { DecodeError } from '../../core/errors.ts';
import { merkleRoot } from '../../core/merkle.ts';
import {
  Commit as CommitMessage,
  CommitSig as CommitSigMessage,
} from '../../proto/gen/tendermint/types/types.ts';
import { BlockIDFlag } from '../../proto/gen/tendermint/types/validator.ts';
import { type BlockId, checkBlockId, isCompleteBlockId, isNilBlockId, NIL_BLOCK_ID } from './block-id.ts';
import { checkAddress, checkRound, checkSignature } from './check.ts';
import { HEIGHT_MAX, VALIDATORS_MAX } from './limits.ts';
import { voteSignBytes } from './sign-bytes.ts';
import { checkTime, isZeroTime, type Time, ZERO_TIME } from './time.ts';
import type { Vote } from './vote.ts';

/** What a validator's entry in a commit stands for: no vote, a vote for the block, a vote for nil. */
export type BlockIdFlag = 'absent' | 'commit' | 'nil';

/** The number of each flag, in bytes and in JSON. */
export const BLOCK_ID_FLAG_NUMBER: Readonly<Record<BlockIdFlag, number>> = {
  absent: BlockIDFlag.BLOCK_ID_FLAG_ABSENT,
  commit: BlockIDFlag.BLOCK_ID_FLAG_COMMIT,
  nil: BlockIDFlag.BLOCK_ID_FLAG_NIL,
};

/** One validator's entry in a commit. Absent: no address, no signature, `ZERO_TIME`. */
export interface CommitSig {
  readonly blockIdFlag: BlockIdFlag;
  /** 20 bytes, or none when absent. */
  readonly validatorAddress: Uint8Array;
  readonly timestamp: Time;
  /** At most 64 bytes, none when absent. */
  readonly signature: Uint8Array;
}

/** The precommits that decided a block, in the order of the validator set (tendermint.types.Commit). */
export interface Commit {
  readonly height: bigint;
  readonly round: number;
  readonly blockId: BlockId;
  readonly signatures: readonly CommitSig[];
}

/** The entry of a validator whose precommit did not come. */
export const ABSENT_COMMIT_SIG: CommitSig = {
  blockIdFlag: 'absent',
  validatorAddress: EMPTY_BYTES,
  timestamp: ZERO_TIME,
  signature: EMPTY_BYTES,
};

/** The commit before the chain's first block: nobody has signed anything. */
export const EMPTY_COMMIT: Commit = { height: 0n, round: 0, blockId: NIL_BLOCK_ID, signatures: [] };

/** The entry that a precommit makes in a commit for `blockId`; a vote for another block counts as absent. */
export function commitSigOf(vote: Vote, decided: BlockIdFlag): CommitSig {
  if (decided === 'absent') return ABSENT_COMMIT_SIG;
  const { validatorAddress, timestamp, signature } = vote;
  return { blockIdFlag: decided, validatorAddress, timestamp, signature };
}

/** The bytes that the entry at `index` is a signature of. An absent entry has none: undefined. */
export function commitSignBytes(chainId: string, commit: Commit, index: number): Uint8Array | undefined {
  const entry = commit.signatures[index];
  if (entry === undefined || entry.blockIdFlag === 'absent') return undefined;
  return voteSignBytes(chainId, {
    type: 'precommit',
    height: commit.height,
    round: commit.round,
    blockId: entry.blockIdFlag === 'commit' ? commit.blockId : NIL_BLOCK_ID,
    timestamp: entry.timestamp,
  });
}

/** The precommit at `index`, as a vote; undefined when absent. */
export function commitVote(commit: Commit, index: number): Vote | undefined {
  const entry = commit.signatures[index];
  if (entry === undefined || entry.blockIdFlag === 'absent') return undefined;
  return {
    type: 'precommit',
    height: commit.height,
    round: commit.round,
    blockId: entry.blockIdFlag === 'commit' ? commit.blockId : NIL_BLOCK_ID,
    timestamp: entry.timestamp,
    validatorAddress: entry.validatorAddress,
    validatorIndex: index,
    signature: entry.signature,
    extension: EMPTY_BYTES,
    extensionSignature: EMPTY_BYTES,
  };
}

/** The next header's `lastCommitHash`: 32 bytes over the entries. */
export function commitHash(commit: Commit): Uint8Array {
  return merkleRoot(commit.signatures.map((entry) => CommitSigMessage.encode(commitSigToMessage(entry))));
}

/** Encodes a commit. */
export function encodeCommit(commit: Commit): Uint8Array {
  return CommitMessage.encode(commitToMessage(commit));
}

/** @throws DecodeError when the bytes are not a commit, or not one that `checkCommit` takes */
export function decodeCommit(bytes: Uint8Array): Commit {
  return commitFromMessage(CommitMessage.decode(bytes, { elementsMax: VALIDATORS_MAX }));
}

/** The commit as a message, to stand inside another. */
export function commitToMessage(commit: Commit): CommitMessage {
  return { ...commit, signatures: commit.signatures.map(commitSigToMessage) };
}

function commitSigToMessage(entry: CommitSig): CommitSigMessage {
  return { ...entry, blockIdFlag: BLOCK_ID_FLAG_NUMBER[entry.blockIdFlag] };
}

/** @throws DecodeError when it is not a commit that `checkCommit` takes */
export function commitFromMessage(message: CommitMessage): Commit {
  if (message.signatures.length > VALIDATORS_MAX) {
    throw new DecodeError(`commit: more than ${VALIDATORS_MAX} entries`, {
      entries: message.signatures.length,
    });
  }
  return checkCommit({ ...message, signatures: message.signatures.map(commitSigFromMessage) });
}

function commitSigFromMessage(message: CommitSigMessage): CommitSig {
  for (const flag of ['absent', 'commit', 'nil'] as const) {
    if (message.blockIdFlag === BLOCK_ID_FLAG_NUMBER[flag]) return { ...message, blockIdFlag: flag };
  }
  throw new DecodeError('commit: unknown block id flag', { flag: message.blockIdFlag });
}

/**
 * Checks a commit's form, not its signatures (CometBFT `Commit.ValidateBasic`). Height 0 is the empty commit.
 * @throws DecodeError on the first thing wrong
 */
export function checkCommit(commit: Commit): Commit {
  checkRound(commit.round, 'commit');
  checkBlockId(commit.blockId, 'commit');
  if (commit.height === 0n) {
    const empty = commit.round === 0 && isNilBlockId(commit.blockId) && commit.signatures.length === 0;
    if (!empty) throw new DecodeError('commit: something is signed at height 0');
    return commit;
  }
  if (commit.height < 0n || commit.height > HEIGHT_MAX) throw new DecodeError('commit: height out of range');
  if (!isCompleteBlockId(commit.blockId)) throw new DecodeError('commit: block id is not complete');
  if (commit.signatures.length === 0) throw new DecodeError('commit: no signatures');
  commit.signatures.forEach(checkCommitSig);
  return commit;
}

function checkCommitSig(entry: CommitSig): void {
  checkTime(entry.timestamp, 'commit');
  if (entry.blockIdFlag === 'absent') {
    const empty =
      entry.validatorAddress.length === 0 && entry.signature.length === 0 && isZeroTime(entry.timestamp);
    if (!empty) throw new DecodeError('commit: an absent entry is not empty');
    return;
  }
  checkAddress(entry.validatorAddress, 'commit');
  checkSignature(entry.signature, 'commit');
}
