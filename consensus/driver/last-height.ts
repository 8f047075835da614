import type { Input } from '../input.ts';
import { type BlockId, isNilBlockId, NIL_BLOCK_ID } from '../types/block-id.ts';
import { ABSENT_COMMIT_SIG, type Commit, commitSigOf, commitVote } from '../types/commit.ts';
import type { ValidatorSet } from '../types/validator.ts';
import type { VoteType } from '../types/vote.ts';
import type { VoteKeeper } from '../votes/keeper.ts';
import { VoteTally } from '../votes/tally.ts';

/** A decided height: the precommits that decided it grow while late ones come. */
export interface DecidedHeight {
  readonly height: bigint;
  readonly round: number;
  readonly blockId: BlockId;
  readonly validators: ValidatorSet;
  readonly precommits: VoteTally;
  /** Its votes that were seen: a late one may be proof against its signer. Undefined when it was over already. */
  readonly votes: VoteKeeper | undefined;
}

/** The commit with all precommits that are here. */
export function commitOf(decided: DecidedHeight): Commit {
  const { height, round, blockId, validators, precommits } = decided;
  const signatures = validators.validators.map((_validator, index) => {
    const vote = precommits.voteFor(index, blockId) ?? precommits.voteFor(index, NIL_BLOCK_ID);
    if (vote === undefined) return ABSENT_COMMIT_SIG;
    return commitSigOf(vote, isNilBlockId(vote.blockId) ? 'nil' : 'commit');
  });
  return { height, round, blockId, signatures };
}

/** The decided height that a verified commit stands for. */
export function decidedHeightOf(commit: Commit, validators: ValidatorSet): DecidedHeight {
  const { height, round, blockId } = commit;
  const precommits = new VoteTally(validators);
  for (let index = 0; index < commit.signatures.length; index++) {
    const vote = commitVote(commit, index);
    if (vote !== undefined) precommits.add(vote);
  }
  return { height, round, blockId, validators, precommits, votes: undefined };
}

/** The votes of one type in one round of a decided height. */
export function votesOf(decided: DecidedHeight, round: number, type: VoteType): VoteTally | undefined {
  const decisive = type === 'precommit' && round === decided.round;
  return decisive ? decided.precommits : decided.votes?.tally(round, type);
}

/** The height before, as a `startHeight` states it. */
export function lastHeightOf(input: Input & { readonly kind: 'startHeight' }): DecidedHeight | undefined {
  if (input.last === undefined || input.last.commit.height !== input.height - 1n) return undefined;
  return decidedHeightOf(input.last.commit, input.last.validators);
}
