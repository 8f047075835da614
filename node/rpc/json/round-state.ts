/**
 * The state of the consensus core as `consensus_state` and `dump_consensus_state` show it. Not a stable
 * interface.
 */
import { countBits, hasBit } from '../../../consensus/types/bit-array.ts';
import { isNilBlockId } from '../../../consensus/types/block-id.ts';
import { validatorIndex } from '../../../consensus/types/validator-set.ts';
import { ZERO_TIME } from '../../../consensus/types/time.ts';
import type { VoteType } from '../../../consensus/types/vote.ts';
import type { ConsensusReader, Step, VotesView } from '../../../consensus/view.ts';
import { EMPTY_BYTES } from '../../../core/bytes.ts';
import { proposalJson, validatorJson } from '../../../light/json/print.ts';
import { hexJson, type Json, timeJson } from '../../../light/json/json.ts';

/** CometBFT's numbers of the steps (`consensus/types/round_state.go`). */
const STEP_NUMBER: Readonly<Record<Step, number>> = {
  newHeight: 1,
  newRound: 2,
  propose: 3,
  prevote: 4,
  precommit: 6,
  commit: 8,
};

/** Rounds shown at most: the latest ones. */
const ROUNDS_MAX = 10;
const HASH_SHOWN = 12;

/** The short form. */
export function roundStateSimpleJson(core: ConsensusReader): Json {
  const { height, round, step, proposal, lockedBlockId, validBlockId } = core.view();
  const proposer = core.proposer(round);
  return {
    'height/round/step': `${height}/${round}/${STEP_NUMBER[step]}`,
    start_time: timeJson(ZERO_TIME),
    proposal_block_hash: hexJson(proposal?.blockId.hash ?? EMPTY_BYTES),
    locked_block_hash: hexJson(lockedBlockId?.hash ?? EMPTY_BYTES),
    valid_block_hash: hexJson(validBlockId?.hash ?? EMPTY_BYTES),
    height_vote_set: votesJson(core),
    proposer: {
      address: hexJson(proposer?.address ?? EMPTY_BYTES),
      index: validatorIndex(core.validators(), proposer?.address ?? EMPTY_BYTES),
    },
  };
}

/** The long form. */
export function roundStateJson(core: ConsensusReader): Json {
  const { height, round, step, proposal, lockedRound, validRound, decided } = core.view();
  const { validators, proposer } = core.validators();
  return {
    height: height.toString(),
    round,
    step: STEP_NUMBER[step],
    start_time: timeJson(ZERO_TIME),
    commit_time: timeJson(ZERO_TIME),
    validators: {
      validators: validators.map(validatorJson),
      proposer: proposer === undefined ? null : validatorJson(proposer),
    },
    proposal: proposal === undefined ? null : proposalJson(proposal),
    locked_round: lockedRound,
    valid_round: validRound,
    votes: votesJson(core),
    commit_round: decided?.round ?? -1,
  };
}

function votesJson(core: ConsensusReader): Json {
  return core
    .voteRounds()
    .slice(-ROUNDS_MAX)
    .map((round) => ({
      round,
      prevotes: voteTexts(core, round, 'prevote'),
      prevotes_bit_array: bitsText(core, round, 'prevote'),
      precommits: voteTexts(core, round, 'precommit'),
      precommits_bit_array: bitsText(core, round, 'precommit'),
    }));
}

function voteTexts(core: ConsensusReader, round: number, type: VoteType): Json {
  const votes = core.votes(round, type);
  return core.validators().validators.map((_validator, index) => voteText(votes, index));
}

function voteText(votes: VotesView | undefined, index: number): string {
  const vote = votes?.vote(index);
  if (vote === undefined) return 'nil-Vote';
  const who = hexJson(vote.validatorAddress.subarray(0, HASH_SHOWN / 2));
  const what = isNilBlockId(vote.blockId) ? 'nil' : hexJson(vote.blockId.hash).slice(0, HASH_SHOWN);
  const at = `${vote.height}/${vote.round.toString().padStart(2, '0')}`;
  return `Vote{${index}:${who} ${at}/${vote.type} ${what} @ ${timeJson(vote.timestamp)}}`;
}

/** `BA{4:xx_x} 30/40 = 0.75`: who has voted, and with which part of the power. */
function bitsText(core: ConsensusReader, round: number, type: VoteType): string {
  const { validators, totalVotingPower } = core.validators();
  const bits = core.votes(round, type)?.bits;
  if (bits === undefined || countBits(bits) === 0)
    return `BA{${validators.length}:${'_'.repeat(validators.length)}}`;
  let power = 0n;
  let marks = '';
  validators.forEach((validator, index) => {
    const voted = hasBit(bits, index);
    marks += voted ? 'x' : '_';
    if (voted) power += validator.votingPower;
  });
  const part = (Number(power) / Number(totalVotingPower)).toFixed(2);
  return `BA{${validators.length}:${marks}} ${power}/${totalVotingPower} = ${part}`;
}
