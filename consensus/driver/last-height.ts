import type { Input } from '../input.ts';
import { type BlockId, isNilBlockId, NIL_BLOCK_ID } from '../types/block-id.ts';
import { ABSENT_COMMIT_SIG, type Commit, commitSigOf, commitVote } from '../types/commit.ts';
import type { ValidatorSet } from '../types/validator.ts';
import { VoteTally } from '../votes/tally.ts';

/** The precommits that decided a height, growing while late ones come. */
export interface DecidedHeight {
  readonly height: bigint;
  readonly round: number;
  readonly blockId: BlockId;
  readonly validators: ValidatorSet;
  readonly precommits: VoteTally;
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
  return { height, round, blockId, validators, precommits };
}

/** The height before, as a `startHeight` states it. */
export function lastHeightOf(input: Input & { readonly kind: 'startHeight' }): DecidedHeight | undefined {
  if (input.last === undefined || input.last.commit.height !== input.height - 1n) return undefined;
  return decidedHeightOf(input.last.commit, input.last.validators);
}
