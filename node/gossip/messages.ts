/**
 * The messages of consensus gossip. On the wire they are `tendermint.consensus.Message`, one kind of them on
 * each channel. Decoding checks all that can be checked without knowing the height's validators: whoever
 * calls it may rely on bounds. Two messages mean a little less than in CometBFT: `VoteSetBits` is unasked for
 * and covers votes for any block (its block id is empty), and `NewValidBlock` names the part set that a node
 * is collecting, whether valid or not.
 */
import {
  BIT_ARRAY_WORDS_MAX,
  type BitArray,
  bitArrayFromWords,
  bitArrayToWords,
} from '../../consensus/types/bit-array.ts';
import { isCompleteBlockId, NIL_BLOCK_ID, type PartSetHeader } from '../../consensus/types/block-id.ts';
import { checkHeight, checkRound } from '../../consensus/types/check.ts';
import { BLOCK_PARTS_MAX, VALIDATORS_MAX } from '../../consensus/types/limits.ts';
import { partFromMessage, partToMessage } from '../../consensus/types/part-set.ts';
import { proposalFromMessage, proposalToMessage } from '../../consensus/types/proposal.ts';
import { VOTE_TYPE_NUMBER } from '../../consensus/types/sign-bytes.ts';
import { type VoteType, voteFromMessage, voteToMessage } from '../../consensus/types/vote.ts';
import type { Step } from '../../consensus/view.ts';
import { DecodeError, unreachable } from '../../core/errors.ts';
import { MERKLE_AUNTS_MAX } from '../../core/merkle.ts';
import { Message } from '../../proto/gen/tendermint/consensus/types.ts';
import type { ConsensusMessage } from './ports.ts';

/** Where a node is. */
export interface RoundStep {
  readonly kind: 'roundStep';
  readonly height: bigint;
  readonly round: number;
  readonly step: Step;
  /** The round in which the height before was decided; -1 when there is none. */
  readonly lastCommitRound: number;
}

/** The part set that a node is collecting, and what it has of it. */
export interface PartsHeld {
  readonly kind: 'partsHeld';
  readonly height: bigint;
  readonly round: number;
  readonly header: PartSetHeader;
  readonly bits: BitArray;
  /** The block is decided. */
  readonly decided: boolean;
}

/** A node has a vote now. */
export interface HasVote {
  readonly kind: 'hasVote';
  readonly height: bigint;
  readonly round: number;
  readonly type: VoteType;
  readonly index: number;
}

/** All the votes of one type and round that a node has. */
export interface VotesHeld {
  readonly kind: 'votesHeld';
  readonly height: bigint;
  readonly round: number;
  readonly type: VoteType;
  readonly bits: BitArray;
}

/** What nodes tell about themselves. */
export type StateMessage = RoundStep | PartsHeld | HasVote | VotesHeld;

/**
 * CometBFT's numbers of steps (`cstypes.RoundStepType`); its waits are part of the steps before them here.
 */
const STEP_NUMBERS: Readonly<Record<Step, number>> = {
  newHeight: 1,
  newRound: 2,
  propose: 3,
  prevote: 4,
  precommit: 6,
  commit: 8,
};
const STEPS: ReadonlyMap<number, Step> = new Map([
  [1, 'newHeight'],
  [2, 'newRound'],
  [3, 'propose'],
  [4, 'prevote'],
  [5, 'prevote'],
  [6, 'precommit'],
  [7, 'precommit'],
  [8, 'commit'],
]);

const NO_LAST_COMMIT = -1;

/** A message for the state channel. */
export function encodeStateMessage(message: StateMessage): Uint8Array {
  const { height, round } = message;
  switch (message.kind) {
    case 'roundStep': {
      const { lastCommitRound } = message;
      const step = STEP_NUMBERS[message.step];
      const newRoundStep = { height, round, step, secondsSinceStartTime: 0n, lastCommitRound };
      return Message.encode(Message.create({ newRoundStep }));
    }
    case 'partsHeld': {
      const blockParts = bitsToMessage(message.bits);
      const blockPartSetHeader = message.header;
      const newValidBlock = { height, round, blockPartSetHeader, blockParts, isCommit: message.decided };
      return Message.encode(Message.create({ newValidBlock }));
    }
    case 'hasVote': {
      const hasVote = { height, round, type: VOTE_TYPE_NUMBER[message.type], index: message.index };
      return Message.encode(Message.create({ hasVote }));
    }
    case 'votesHeld': {
      const votes = bitsToMessage(message.bits);
      const type = VOTE_TYPE_NUMBER[message.type];
      const voteSetBits = { height, round, type, blockId: NIL_BLOCK_ID, votes };
      return Message.encode(Message.create({ voteSetBits }));
    }
    default:
      return unreachable(message, 'state message');
  }
}

/**
 * Reads a message of the state channel.
 * @throws DecodeError when it is malformed, out of bounds or of another channel
 */
export function decodeStateMessage(bytes: Uint8Array): StateMessage {
  const message = Message.decode(bytes, { elementsMax: BIT_ARRAY_WORDS_MAX });
  if (message.newRoundStep !== undefined) return readRoundStep(message.newRoundStep);
  if (message.newValidBlock !== undefined) return readPartsHeld(message.newValidBlock);
  if (message.hasVote !== undefined) {
    const { index } = message.hasVote;
    if (index < 0 || index >= VALIDATORS_MAX)
      throw new DecodeError('has-vote: index out of range', { index });
    return { kind: 'hasVote', ...readVoteSet(message.hasVote, 'has-vote'), index };
  }
  if (message.voteSetBits !== undefined) {
    const bits = readBits(message.voteSetBits.votes, VALIDATORS_MAX);
    return { kind: 'votesHeld', ...readVoteSet(message.voteSetBits, 'vote bits'), bits };
  }
  throw new DecodeError('no message of the state channel');
}

/** A proposal or a part for the data channel, a vote for the votes channel. */
export function encodeConsensusMessage(message: ConsensusMessage): Uint8Array {
  switch (message.kind) {
    case 'proposal': {
      const proposal = { proposal: proposalToMessage(message.proposal) };
      return Message.encode(Message.create({ proposal }));
    }
    case 'blockPart': {
      const { height, round } = message;
      const blockPart = { height, round, part: partToMessage(message.part) };
      return Message.encode(Message.create({ blockPart }));
    }
    case 'vote':
      return Message.encode(Message.create({ vote: { vote: voteToMessage(message.vote) } }));
    default:
      return unreachable(message, 'consensus message');
  }
}

/**
 * Reads a message of the data channel: a proposal or a part.
 * @throws DecodeError when it is malformed, out of bounds or of another channel
 */
export function decodeDataMessage(bytes: Uint8Array): ConsensusMessage {
  const message = Message.decode(bytes, { elementsMax: MERKLE_AUNTS_MAX });
  if (message.proposal !== undefined) {
    const proposal = proposalFromMessage(message.proposal.proposal);
    if (!isCompleteBlockId(proposal.blockId) || proposal.blockId.partSetHeader.total > BLOCK_PARTS_MAX)
      throw new DecodeError('proposal: impossible block id');
    return { kind: 'proposal', proposal };
  }
  if (message.blockPart !== undefined) {
    const height = checkHeight(message.blockPart.height, 'block part');
    const round = checkRound(message.blockPart.round, 'block part');
    return { kind: 'blockPart', height, round, part: partFromMessage(message.blockPart.part) };
  }
  throw new DecodeError('no message of the data channel');
}

/**
 * Reads a message of the votes channel.
 * @throws DecodeError when it is malformed, out of bounds or of another channel
 */
export function decodeVoteMessage(bytes: Uint8Array): ConsensusMessage {
  const vote = Message.decode(bytes, { elementsMax: 0 }).vote?.vote;
  if (vote === undefined) throw new DecodeError('no message of the votes channel');
  return { kind: 'vote', vote: voteFromMessage(vote) };
}

function readRoundStep(message: NonNullable<Message['newRoundStep']>): RoundStep {
  const step = STEPS.get(message.step);
  if (step === undefined) throw new DecodeError('round step: unknown step', { step: message.step });
  const { lastCommitRound } = message;
  return {
    kind: 'roundStep',
    height: checkHeight(message.height, 'round step'),
    round: checkRound(message.round, 'round step'),
    step,
    lastCommitRound: checkRound(lastCommitRound, 'round step: last commit', NO_LAST_COMMIT),
  };
}

function readPartsHeld(message: NonNullable<Message['newValidBlock']>): PartsHeld {
  const header = message.blockPartSetHeader;
  if (header.total < 1 || header.total > BLOCK_PARTS_MAX || header.hash.length !== 32)
    throw new DecodeError('parts held: impossible header', { total: header.total });
  if (message.blockParts === undefined) throw new DecodeError('parts held: no bits');
  const bits = readBits(message.blockParts, BLOCK_PARTS_MAX);
  if (bits.length !== header.total) throw new DecodeError('parts held: bits and total disagree');
  return {
    kind: 'partsHeld',
    height: checkHeight(message.height, 'parts held'),
    round: checkRound(message.round, 'parts held'),
    header,
    bits,
    decided: message.isCommit,
  };
}

interface VoteSetMessage {
  readonly height: bigint;
  readonly round: number;
  readonly type: number;
}

function readVoteSet(message: VoteSetMessage, what: string): Pick<HasVote, 'height' | 'round' | 'type'> {
  return {
    height: checkHeight(message.height, what),
    round: checkRound(message.round, what),
    type: readVoteType(message.type, what),
  };
}

function readVoteType(type: number, what: string): VoteType {
  if (type === VOTE_TYPE_NUMBER.prevote) return 'prevote';
  if (type === VOTE_TYPE_NUMBER.precommit) return 'precommit';
  throw new DecodeError(`${what}: neither prevotes nor precommits`, { type });
}

interface BitsMessage {
  readonly bits: bigint;
  readonly elems: readonly bigint[];
}

function readBits(message: BitsMessage, bitsMax: number): BitArray {
  if (message.bits > BigInt(bitsMax)) throw new DecodeError('too many bits', { bits: message.bits });
  return bitArrayFromWords(message.bits, message.elems);
}

function bitsToMessage(bits: BitArray): BitsMessage {
  return { bits: BigInt(bits.length), elems: bitArrayToWords(bits) };
}
