/**
 * One validator's part in one height as a pure function: state and input in; new state, outputs and the
 * lines of the paper that were carried out. Who may fire what, and when, is `../driver/mux.ts`.
 *
 * | step      | input                    | guard              | what happens                | lines      |
 * | --------- | ------------------------ | ------------------ | --------------------------- | ---------- |
 * | newRound  | newRound, proposer       | has a valid value  | propose it                  | 11, 16, 19 |
 * | newRound  | newRound, proposer       |                    | get a value                 | 11, 18     |
 * | newRound  | newRound                 |                    | start the propose timeout   | 11, 21     |
 * | propose   | proposeValue             |                    | propose it                  | 19         |
 * | propose   | proposal                 | valid, lock allows | prevote it                  | 24         |
 * | propose   | proposal                 |                    | prevote nil                 | 26         |
 * | propose   | proposalAndPolkaPrevious | valid, lock allows | prevote it                  | 30         |
 * | propose   | proposalAndPolkaPrevious |                    | prevote nil                 | 32         |
 * | propose   | timeoutPropose           |                    | prevote nil                 | 59         |
 * | prevote   | polkaValue               |                    | lock and precommit it       | 38, 40, 42 |
 * | prevote   | polkaNil                 |                    | precommit nil               | 45         |
 * | prevote   | polkaAny                 | first time         | start the prevote timeout   | 35         |
 * | prevote   | timeoutPrevote           |                    | precommit nil               | 63         |
 * | precommit | polkaValue               | first time         | valid value                 | 42         |
 * | any       | precommitAny             | first time         | start the precommit timeout | 48         |
 * | any       | precommitValue           |                    | decide                      | 51         |
 * | any       | skipRound                | later round        | go there                    | 56         |
 * | any       | timeoutPrecommit         | this round         | next round                  | 67         |
 *
 * "Any" excludes `commit`, where nothing happens. Unlike the paper, a proposer schedules the propose
 * timeout too: its application or its signer may not answer.
 */
import { unreachable } from '../../core/errors.ts';
import { type BlockId, equalBlockId, NIL_BLOCK_ID } from '../types/block-id.ts';
import { NO_ROUND } from '../types/proposal.ts';
import type { RoundInput } from './input.ts';
import type { PaperLine } from './lines.ts';
import type { RoundOutput } from './output.ts';
import type { RoundState, RoundValue } from './state.ts';

/** What an input leads to. */
export interface Transition {
  readonly state: RoundState;
  readonly outputs: readonly RoundOutput[];
  readonly lines: readonly PaperLine[];
}

/** Carries out an input; undefined when the state does not react to it. */
export function transition(state: RoundState, input: RoundInput): Transition | undefined {
  if (state.step === 'commit') return undefined;
  switch (input.kind) {
    case 'newRound':
      return state.step === 'newRound' ? startRound(state, input.isProposer) : undefined;
    case 'proposeValue':
      return state.step === 'propose' ? propose(state, input.blockId) : undefined;
    case 'proposal':
      return state.step === 'propose' ? prevoteNew(state, input) : undefined;
    case 'proposalAndPolkaPrevious':
      return state.step === 'propose' ? prevotePrevious(state, input) : undefined;
    case 'polkaValue':
      return followPolka(state, input.blockId);
    case 'polkaNil':
      return state.step === 'prevote' ? precommitNil(state, 'L45') : undefined;
    case 'polkaAny':
      return schedulePrevoteTimeout(state);
    case 'precommitAny':
      return schedulePrecommitTimeout(state);
    case 'precommitValue':
      return decide(state, input);
    case 'skipRound':
      return input.round > state.round ? enterRound(state, input.round, 'L56') : undefined;
    case 'timeoutPropose':
      if (state.step !== 'propose' || input.round !== state.round) return undefined;
      return prevote(state, NIL_BLOCK_ID, 'L59');
    case 'timeoutPrevote':
      if (state.step !== 'prevote' || input.round !== state.round) return undefined;
      return precommitNil(state, 'L63');
    case 'timeoutPrecommit':
      return input.round === state.round ? enterRound(state, state.round + 1, 'L67') : undefined;
    default:
      return unreachable(input, 'round input');
  }
}

/** Lines 11 to 21. */
function startRound(state: RoundState, isProposer: boolean): Transition {
  const next: RoundState = { ...state, step: 'propose' };
  const timeout: RoundOutput = { kind: 'scheduleTimeout', timeout: 'propose' };
  if (!isProposer) return { state: next, outputs: [timeout], lines: ['L11', 'L21'] };
  if (state.valid === undefined) {
    return { state: next, outputs: [timeout, { kind: 'getValue' }], lines: ['L11', 'L18'] };
  }
  const { blockId, round: polRound } = state.valid;
  const proposal: RoundOutput = { kind: 'propose', blockId, polRound };
  return { state: next, outputs: [timeout, proposal], lines: ['L11', 'L16', 'L19'] };
}

/** Line 19. */
function propose(state: RoundState, blockId: BlockId): Transition {
  return { state, outputs: [{ kind: 'propose', blockId, polRound: NO_ROUND }], lines: ['L19'] };
}

/** Lines 22 to 26: a lock on another value forbids it. */
function prevoteNew(
  state: RoundState,
  proposal: { readonly blockId: BlockId; readonly valid: boolean },
): Transition {
  const { locked } = state;
  const free = locked === undefined || isValue(locked, proposal.blockId);
  if (proposal.valid && free) return prevote(state, proposal.blockId, 'L24');
  return prevote(state, NIL_BLOCK_ID, 'L26');
}

/** Lines 28 to 32: the proof of lock overrules a lock of its round or before. */
function prevotePrevious(
  state: RoundState,
  proposal: { readonly blockId: BlockId; readonly polRound: number; readonly valid: boolean },
): Transition | undefined {
  if (proposal.polRound < 0 || proposal.polRound >= state.round) return undefined;
  const { locked } = state;
  const free = locked === undefined || locked.round <= proposal.polRound || isValue(locked, proposal.blockId);
  if (proposal.valid && free) return prevote(state, proposal.blockId, 'L30');
  return prevote(state, NIL_BLOCK_ID, 'L32');
}

/** Lines 36 to 43. */
function followPolka(state: RoundState, blockId: BlockId): Transition | undefined {
  if (state.polkaFollowed) return undefined;
  const value: RoundValue = { round: state.round, blockId };
  if (state.step === 'precommit') {
    return { state: { ...state, valid: value, polkaFollowed: true }, outputs: [], lines: ['L42'] };
  }
  if (state.step !== 'prevote') return undefined;
  return {
    state: { ...state, step: 'precommit', locked: value, valid: value, polkaFollowed: true },
    outputs: [{ kind: 'vote', type: 'precommit', blockId }],
    lines: ['L38', 'L40', 'L42'],
  };
}

/** Line 35. */
function schedulePrevoteTimeout(state: RoundState): Transition | undefined {
  if (state.step !== 'prevote' || state.prevoteTimeoutScheduled) return undefined;
  return {
    state: { ...state, prevoteTimeoutScheduled: true },
    outputs: [{ kind: 'scheduleTimeout', timeout: 'prevote' }],
    lines: ['L35'],
  };
}

/** Line 48. */
function schedulePrecommitTimeout(state: RoundState): Transition | undefined {
  if (state.precommitTimeoutScheduled) return undefined;
  return {
    state: { ...state, precommitTimeoutScheduled: true },
    outputs: [{ kind: 'scheduleTimeout', timeout: 'precommit' }],
    lines: ['L48'],
  };
}

/** Lines 49 to 51. What follows, lines 52 to 54, is the next height's start. */
function decide(state: RoundState, value: RoundValue): Transition {
  const { round, blockId } = value;
  return {
    state: { ...state, step: 'commit', decision: { round, blockId } },
    outputs: [{ kind: 'decide', round, blockId }],
    lines: ['L51'],
  };
}

/** Lock and valid value survive a change of round; what happens once per round starts anew. */
function enterRound(state: RoundState, round: number, line: PaperLine): Transition {
  const next: RoundState = {
    ...state,
    round,
    step: 'newRound',
    prevoteTimeoutScheduled: false,
    polkaFollowed: false,
    precommitTimeoutScheduled: false,
  };
  return { state: next, outputs: [], lines: [line] };
}

function prevote(state: RoundState, blockId: BlockId, line: PaperLine): Transition {
  const vote: RoundOutput = { kind: 'vote', type: 'prevote', blockId };
  return { state: { ...state, step: 'prevote' }, outputs: [vote], lines: [line] };
}

function precommitNil(state: RoundState, line: PaperLine): Transition {
  const vote: RoundOutput = { kind: 'vote', type: 'precommit', blockId: NIL_BLOCK_ID };
  return { state: { ...state, step: 'precommit' }, outputs: [vote], lines: [line] };
}

function isValue(value: RoundValue, blockId: BlockId): boolean {
  return equalBlockId(value.blockId, blockId);
}
