/**
 * The lines of the algorithm in "The latest gossip on BFT consensus" (arXiv:1807.04938, algorithm 1) that
 * act. Each transition of the round machine names the lines it carries out; a test proves that all of them
 * are reached.
 */
export const PAPER_LINES = {
  L11: 'start a round',
  L16: 'proposer: propose the valid value again',
  L18: 'proposer: get a new value',
  L19: 'proposer: broadcast the proposal',
  L21: 'not the proposer: schedule the propose timeout',
  L24: 'new proposal, valid and not locked on another value: prevote it',
  L26: 'new proposal, invalid or locked on another value: prevote nil',
  L30: 'proposal with proof of lock, valid and not locked since on another value: prevote it',
  L32: 'proposal with proof of lock, invalid or locked since on another value: prevote nil',
  L35: '+2/3 prevotes for anything: schedule the prevote timeout',
  L38: '+2/3 prevotes for a valid value while prevoting: lock it',
  L40: '+2/3 prevotes for a valid value while prevoting: precommit it',
  L42: '+2/3 prevotes for a valid value: remember it as the valid value',
  L45: '+2/3 prevotes for nil: precommit nil',
  L48: '+2/3 precommits for anything: schedule the precommit timeout',
  L51: '+2/3 precommits for a value, in any round: decide it',
  L56: '+1/3 of the power in a later round: skip to it',
  L59: 'propose timeout: prevote nil',
  L63: 'prevote timeout: precommit nil',
  L67: 'precommit timeout: start the next round',
} as const;

/** A line of the paper. */
export type PaperLine = keyof typeof PAPER_LINES;
