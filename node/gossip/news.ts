/** What of the messages of peers is worth the engine's time: signatures are checked there, and cost most. */
import type { Vote } from '../../consensus/types/vote.ts';
import type { ConsensusReader } from '../../consensus/view.ts';
import { equalBytes } from '../../core/bytes.ts';
import { unreachable } from '../../core/errors.ts';
import type { ConsensusMessage } from './ports.ts';

/** `duplicate`: the engine has it. `irrelevant`: it is of a height that the engine is not at. */
export type News = 'news' | 'duplicate' | 'irrelevant';

/** Judges a message of well-checked shape. The engine keeps messages of the next height until it begins. */
export function judgeNews(consensus: ConsensusReader, message: ConsensusMessage): News {
  const { height } = consensus.view();
  if (message.kind === 'vote') return judgeVote(consensus, message.vote, height);
  if (heightOf(message) === height + 1n) return 'news';
  if (heightOf(message) !== height) return 'irrelevant';
  if (message.kind === 'blockPart') return 'news';
  const held = consensus.proposal(message.proposal.round);
  return sameSignature(held, message.proposal) ? 'duplicate' : 'news';
}

function judgeVote(consensus: ConsensusReader, vote: Vote, height: bigint): News {
  if (vote.height === height + 1n) return 'news';
  // Late votes of any kind: a second one of a validator is evidence.
  const late = vote.height + 1n === height;
  if (vote.height !== height && !late) return 'irrelevant';
  const { round, type } = vote;
  const votes = late ? consensus.lastVotes(round, type) : consensus.votes(round, type);
  return sameSignature(votes?.vote(vote.validatorIndex), vote) ? 'duplicate' : 'news';
}

interface Signed {
  readonly signature: Uint8Array;
}

function sameSignature(held: Signed | undefined, received: Signed): boolean {
  return held !== undefined && equalBytes(held.signature, received.signature);
}

/** The height that a message is about. */
export function heightOf(message: ConsensusMessage): bigint {
  switch (message.kind) {
    case 'proposal':
      return message.proposal.height;
    case 'blockPart':
      return message.height;
    case 'vote':
      return message.vote.height;
    default:
      return unreachable(message, 'consensus message');
  }
}
