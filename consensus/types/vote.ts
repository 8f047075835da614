import { equalBytes } from '../../core/bytes.ts';
import { DecodeError } from '../../core/errors.ts';
import { Vote as VoteMessage } from '../../proto/gen/tendermint/types/types.ts';
import { type BlockId, checkBlockId, isCompleteBlockId, isNilBlockId } from './block-id.ts';
import { checkAddress, checkHeight, checkRound, checkSignature } from './check.ts';
import { SIGNATURE_BYTES_MAX, VALIDATORS_MAX, VOTE_EXTENSION_BYTES_MAX } from './limits.ts';
import type { VerifySignature } from './public-key.ts';
import { VOTE_TYPE_NUMBER, voteSignBytes } from './sign-bytes.ts';
import { checkTime, type Time } from './time.ts';
import type { ValidatorSet } from './validator.ts';

/** The two voting steps of a round. */
export type VoteType = 'prevote' | 'precommit';

/** What a vote says, before somebody stands up for it. A nil vote carries `NIL_BLOCK_ID`. */
export interface UnsignedVote {
  readonly type: VoteType;
  readonly height: bigint;
  readonly round: number;
  readonly blockId: BlockId;
  /** 20 bytes. */
  readonly validatorAddress: Uint8Array;
  /** Position in the height's validator set. */
  readonly validatorIndex: number;
}

/** A signed vote, as it travels (tendermint.types.Vote). */
export interface Vote extends UnsignedVote {
  readonly timestamp: Time;
  /** At most 64 bytes. */
  readonly signature: Uint8Array;
  /** Vote extension; empty, as long as the consensus parameters do not enable extensions. */
  readonly extension: Uint8Array;
  readonly extensionSignature: Uint8Array;
}

/** Encodes a vote. */
export function encodeVote(vote: Vote): Uint8Array {
  return VoteMessage.encode(voteToMessage(vote));
}

/** @throws DecodeError when the bytes are not a vote, or not one that `checkVote` takes */
export function decodeVote(bytes: Uint8Array): Vote {
  return voteFromMessage(VoteMessage.decode(bytes));
}

/** The vote as a message, to stand inside another. */
export function voteToMessage(vote: Vote): VoteMessage {
  return { ...vote, type: VOTE_TYPE_NUMBER[vote.type] };
}

/** @throws DecodeError when it is not a vote that `checkVote` takes */
export function voteFromMessage(message: VoteMessage): Vote {
  if (message.type === VOTE_TYPE_NUMBER.prevote) return checkVote({ ...message, type: 'prevote' });
  if (message.type === VOTE_TYPE_NUMBER.precommit) return checkVote({ ...message, type: 'precommit' });
  throw new DecodeError('vote: neither a prevote nor a precommit', { type: message.type });
}

/**
 * Checks a vote's form, not its signature (CometBFT `Vote.ValidateBasic`).
 * @throws DecodeError on the first thing wrong
 */
export function checkVote(vote: Vote): Vote {
  checkHeight(vote.height, 'vote');
  checkRound(vote.round, 'vote');
  checkBlockId(vote.blockId, 'vote');
  if (!isNilBlockId(vote.blockId) && !isCompleteBlockId(vote.blockId)) {
    throw new DecodeError('vote: block id is neither empty nor complete');
  }
  checkTime(vote.timestamp, 'vote');
  checkAddress(vote.validatorAddress, 'vote');
  const index = vote.validatorIndex;
  if (!Number.isInteger(index) || index < 0 || index >= VALIDATORS_MAX) {
    throw new DecodeError('vote: validator index out of range', { index });
  }
  checkSignature(vote.signature, 'vote');
  checkExtension(vote);
  return vote;
}

function checkExtension(vote: Vote): void {
  const { extension, extensionSignature } = vote;
  if (vote.type === 'prevote' || isNilBlockId(vote.blockId)) {
    if (extension.length + extensionSignature.length > 0) throw new DecodeError('vote: unexpected extension');
    return;
  }
  if (extension.length > VOTE_EXTENSION_BYTES_MAX || extensionSignature.length > SIGNATURE_BYTES_MAX) {
    throw new DecodeError('vote: extension or its signature is too large');
  }
  if (extensionSignature.length === 0 && extension.length > 0) {
    throw new DecodeError('vote: extension without signature');
  }
}

/**
 * True when the vote names a member of the set by index and address alike, and the member signed it. The
 * index is from outside: out of range is false (GHSA-p7mv-53f2-4cwj).
 */
export function verifyVote(
  vote: Vote,
  signer: {
    readonly chainId: string;
    readonly validators: ValidatorSet;
    readonly verify: VerifySignature;
  },
): boolean {
  const validator = signer.validators.validators[vote.validatorIndex];
  if (validator === undefined || !equalBytes(validator.address, vote.validatorAddress)) return false;
  return signer.verify(validator.publicKey, voteSignBytes(signer.chainId, vote), vote.signature);
}
