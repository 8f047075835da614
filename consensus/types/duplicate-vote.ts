import { compareBytes, concatBytes, EMPTY_BYTES } from '../../core/bytes.ts';
import { DecodeError, LedgerError } from '../../core/errors.ts';
import type { DuplicateVoteEvidence as DuplicateVoteEvidenceMessage } from '../../proto/gen/tendermint/types/evidence.ts';
import { PartSetHeader as PartSetHeaderMessage } from '../../proto/gen/tendermint/types/types.ts';
import { type BlockId, equalBlockId } from './block-id.ts';
import type { VerifySignature } from './public-key.ts';
import { checkTime, type Time } from './time.ts';
import type { ValidatorSet } from './validator.ts';
import { validatorByAddress } from './validator-set.ts';
import { type Vote, verifyVote, voteFromMessage, voteToMessage } from './vote.ts';

/**
 * Two votes of one validator for different blocks in one height, round and step. `voteA` has the lower
 * block key.
 */
export interface DuplicateVoteEvidence {
  readonly kind: 'duplicateVote';
  readonly voteA: Vote;
  readonly voteB: Vote;
  /** Total and own power at the height of the votes. */
  readonly totalVotingPower: bigint;
  readonly validatorPower: bigint;
  /** Time of the block at the height of the votes. */
  readonly timestamp: Time;
}

/**
 * Makes evidence of two conflicting votes. What came with them and is not signed, an extension, stays out: it
 * may be anybody's, and the evidence would be refused for it.
 * @throws LedgerError `evidence.validator` when the signer is not in the set
 */
export function duplicateVoteEvidence(made: {
  readonly first: Vote;
  readonly second: Vote;
  /** Time of the block at the votes' height. */
  readonly blockTime: Time;
  /** The validators at the votes' height. */
  readonly validators: ValidatorSet;
}): DuplicateVoteEvidence {
  const { first, second, blockTime, validators } = made;
  const validator = validatorByAddress(validators, first.validatorAddress);
  if (validator === undefined) {
    throw new LedgerError('evidence.validator', 'the signer of the votes is not a validator');
  }
  const inOrder = compareBlockIds(first.blockId, second.blockId) < 0;
  return {
    kind: 'duplicateVote',
    voteA: signedPartOf(inOrder ? first : second),
    voteB: signedPartOf(inOrder ? second : first),
    totalVotingPower: validators.totalVotingPower,
    validatorPower: validator.votingPower,
    timestamp: blockTime,
  };
}

function signedPartOf(vote: Vote): Vote {
  return { ...vote, extension: EMPTY_BYTES, extensionSignature: EMPTY_BYTES };
}

/** Order of block ids in evidence: by hash and then by encoded part-set header, as bytes. */
function compareBlockIds(a: BlockId, b: BlockId): number {
  return compareBytes(evidenceKey(a), evidenceKey(b));
}

function evidenceKey(id: BlockId): Uint8Array {
  return concatBytes(id.hash, PartSetHeaderMessage.encode(id.partSetHeader));
}

/** The evidence as tendermint.types.DuplicateVoteEvidence. */
export function duplicateVoteToMessage(evidence: DuplicateVoteEvidence): DuplicateVoteEvidenceMessage {
  return {
    voteA: voteToMessage(evidence.voteA),
    voteB: voteToMessage(evidence.voteB),
    totalVotingPower: evidence.totalVotingPower,
    validatorPower: evidence.validatorPower,
    timestamp: evidence.timestamp,
  };
}

/** @throws DecodeError when it is not what `checkDuplicateVote` takes */
export function duplicateVoteFromMessage(message: DuplicateVoteEvidenceMessage): DuplicateVoteEvidence {
  if (message.voteA === undefined || message.voteB === undefined)
    throw new DecodeError('evidence: vote is missing');
  return checkDuplicateVote({
    kind: 'duplicateVote',
    voteA: voteFromMessage(message.voteA),
    voteB: voteFromMessage(message.voteB),
    totalVotingPower: message.totalVotingPower,
    validatorPower: message.validatorPower,
    timestamp: message.timestamp,
  });
}

/**
 * Checks the form of evidence: the votes are for different blocks and in order.
 * @throws DecodeError otherwise
 */
export function checkDuplicateVote(evidence: DuplicateVoteEvidence): DuplicateVoteEvidence {
  checkTime(evidence.timestamp, 'evidence');
  if (compareBlockIds(evidence.voteA.blockId, evidence.voteB.blockId) >= 0) {
    throw new DecodeError('evidence: votes are for one block, or in the wrong order');
  }
  return evidence;
}

/**
 * Checks that evidence is true: one signer, one height, round and step, different blocks, good signatures,
 * and powers as they were. Source: CometBFT v0.38 `evidence/verify.go` (VerifyDuplicateVote), which lets the
 * validator index and extensions pass, though no signature covers them: there anybody can make of one proof
 * any number with other ids. Extensions are not enabled on any chain of this program.
 * @throws LedgerError `evidence.*` on the first thing wrong
 */
export function verifyDuplicateVote(
  evidence: DuplicateVoteEvidence,
  against: {
    readonly chainId: string;
    /** The validators at the votes' height. */
    readonly validators: ValidatorSet;
    readonly verify: VerifySignature;
  },
): void {
  const { voteA, voteB } = evidence;
  const sameStep = voteA.height === voteB.height && voteA.round === voteB.round && voteA.type === voteB.type;
  if (!sameStep) throw new LedgerError('evidence.step', 'the votes are not of one height, round and step');
  if (voteA.validatorIndex !== voteB.validatorIndex || equalBlockId(voteA.blockId, voteB.blockId)) {
    throw new LedgerError('evidence.votes', 'the votes are of different validators or for one block');
  }
  const extras = [voteA, voteB].some((vote) => vote.extension.length + vote.extensionSignature.length > 0);
  if (extras) throw new LedgerError('evidence.extension', 'a vote has an extension, which nobody signed');
  if (!verifyVote(voteA, against) || !verifyVote(voteB, against)) {
    throw new LedgerError('evidence.signature', 'a vote was not signed by a validator of its height');
  }
  const validator = validatorByAddress(against.validators, voteA.validatorAddress);
  const powersRight =
    validator?.votingPower === evidence.validatorPower &&
    against.validators.totalVotingPower === evidence.totalVotingPower;
  if (!powersRight) throw new LedgerError('evidence.power', 'the voting powers are not those of that height');
}
