/** Every row of the machine's table, and that together they reach every line of the paper. */
import { afterAll, describe, expect, it } from 'vitest';
import { type BlockId, NIL_BLOCK_ID } from '../types/block-id.ts';
import type { RoundInput } from './input.ts';
import { PAPER_LINES, type PaperLine } from './lines.ts';
import { transition } from './machine.ts';
import type { RoundOutput } from './output.ts';
import { INITIAL_ROUND_STATE, type RoundState, type RoundStep } from './state.ts';

function block(byte: number): BlockId {
  const hash = new Uint8Array(32).fill(byte);
  return { hash, partSetHeader: { total: 1, hash } };
}

const V = block(1);
const W = block(2);
const reached = new Set<PaperLine>();

function at(step: RoundStep, round: number, more: Partial<RoundState> = {}): RoundState {
  return { ...INITIAL_ROUND_STATE, step, round, ...more };
}
function vote(type: 'prevote' | 'precommit', blockId: BlockId): RoundOutput {
  return { kind: 'vote', type, blockId };
}
function timeout(kind: 'propose' | 'prevote' | 'precommit'): RoundOutput {
  return { kind: 'scheduleTimeout', timeout: kind };
}
function proposal(blockId: BlockId, valid: boolean): RoundInput {
  return { kind: 'proposal', blockId, valid };
}
function reproposal(blockId: BlockId, polRound: number, valid: boolean): RoundInput {
  return { kind: 'proposalAndPolkaPrevious', blockId, polRound, valid };
}
function lockOn(blockId: BlockId, round: number): Partial<RoundState> {
  return { locked: { blockId, round }, valid: { blockId, round } };
}

interface Row {
  readonly name: string;
  readonly from: RoundState;
  readonly input: RoundInput;
  /** What changes in the state. */
  readonly to: Partial<RoundState>;
  readonly outputs: readonly RoundOutput[];
  readonly lines: readonly PaperLine[];
}

const ROWS: readonly Row[] = [
  {
    name: 'a proposer without a valid value asks for one',
    from: at('newRound', 0),
    input: { kind: 'newRound', isProposer: true },
    to: { step: 'propose' },
    outputs: [timeout('propose'), { kind: 'getValue' }],
    lines: ['L11', 'L18'],
  },
  {
    name: 'a proposer with a valid value proposes it again, with its round',
    from: at('newRound', 3, { valid: { blockId: V, round: 1 } }),
    input: { kind: 'newRound', isProposer: true },
    to: { step: 'propose' },
    outputs: [timeout('propose'), { kind: 'propose', blockId: V, polRound: 1 }],
    lines: ['L11', 'L16', 'L19'],
  },
  {
    name: 'everybody else waits for the proposal',
    from: at('newRound', 2),
    input: { kind: 'newRound', isProposer: false },
    to: { step: 'propose' },
    outputs: [timeout('propose')],
    lines: ['L11', 'L21'],
  },
  {
    name: 'the value that came is proposed without proof of lock',
    from: at('propose', 0),
    input: { kind: 'proposeValue', blockId: V },
    to: {},
    outputs: [{ kind: 'propose', blockId: V, polRound: -1 }],
    lines: ['L19'],
  },
  {
    name: 'a valid proposal is prevoted',
    from: at('propose', 0),
    input: proposal(V, true),
    to: { step: 'prevote' },
    outputs: [vote('prevote', V)],
    lines: ['L24'],
  },
  {
    name: 'a valid proposal of the locked value is prevoted',
    from: at('propose', 1, lockOn(V, 0)),
    input: proposal(V, true),
    to: { step: 'prevote' },
    outputs: [vote('prevote', V)],
    lines: ['L24'],
  },
  {
    name: 'a lock on another value makes it nil',
    from: at('propose', 1, lockOn(W, 0)),
    input: proposal(V, true),
    to: { step: 'prevote' },
    outputs: [vote('prevote', NIL_BLOCK_ID)],
    lines: ['L26'],
  },
  {
    name: 'an invalid proposal makes it nil',
    from: at('propose', 0),
    input: proposal(V, false),
    to: { step: 'prevote' },
    outputs: [vote('prevote', NIL_BLOCK_ID)],
    lines: ['L26'],
  },
  {
    name: 'a proof of lock as late as our lock overrules it',
    from: at('propose', 2, lockOn(W, 1)),
    input: reproposal(V, 1, true),
    to: { step: 'prevote' },
    outputs: [vote('prevote', V)],
    lines: ['L30'],
  },
  {
    name: 'a proof of lock for the locked value is taken, however old',
    from: at('propose', 3, lockOn(V, 2)),
    input: reproposal(V, 0, true),
    to: { step: 'prevote' },
    outputs: [vote('prevote', V)],
    lines: ['L30'],
  },
  {
    name: 'a proof of lock is taken without a lock',
    from: at('propose', 3),
    input: reproposal(V, 0, true),
    to: { step: 'prevote' },
    outputs: [vote('prevote', V)],
    lines: ['L30'],
  },
  {
    name: 'a proof of lock older than our lock on another value makes it nil',
    from: at('propose', 3, lockOn(W, 2)),
    input: reproposal(V, 1, true),
    to: { step: 'prevote' },
    outputs: [vote('prevote', NIL_BLOCK_ID)],
    lines: ['L32'],
  },
  {
    name: 'a proof of lock for an invalid value makes it nil',
    from: at('propose', 2),
    input: reproposal(V, 1, false),
    to: { step: 'prevote' },
    outputs: [vote('prevote', NIL_BLOCK_ID)],
    lines: ['L32'],
  },
  {
    name: 'no proposal in time makes it nil',
    from: at('propose', 1, lockOn(V, 0)),
    input: { kind: 'timeoutPropose', round: 1 },
    to: { step: 'prevote' },
    outputs: [vote('prevote', NIL_BLOCK_ID)],
    lines: ['L59'],
  },
  {
    name: '+2/3 prevotes lock the value and precommit it',
    from: at('prevote', 2, lockOn(W, 0)),
    input: { kind: 'polkaValue', blockId: V },
    to: { step: 'precommit', ...lockOn(V, 2), polkaFollowed: true },
    outputs: [vote('precommit', V)],
    lines: ['L38', 'L40', 'L42'],
  },
  {
    name: '+2/3 prevotes after our precommit change the valid value only',
    from: at('precommit', 2, lockOn(W, 0)),
    input: { kind: 'polkaValue', blockId: V },
    to: { valid: { blockId: V, round: 2 }, polkaFollowed: true },
    outputs: [],
    lines: ['L42'],
  },
  {
    name: '+2/3 prevotes for nil precommit nil and keep the lock',
    from: at('prevote', 1, lockOn(V, 0)),
    input: { kind: 'polkaNil' },
    to: { step: 'precommit' },
    outputs: [vote('precommit', NIL_BLOCK_ID)],
    lines: ['L45'],
  },
  {
    name: '+2/3 prevotes for this and that start the prevote timeout',
    from: at('prevote', 0),
    input: { kind: 'polkaAny' },
    to: { prevoteTimeoutScheduled: true },
    outputs: [timeout('prevote')],
    lines: ['L35'],
  },
  {
    name: 'the prevote timeout precommits nil',
    from: at('prevote', 0),
    input: { kind: 'timeoutPrevote', round: 0 },
    to: { step: 'precommit' },
    outputs: [vote('precommit', NIL_BLOCK_ID)],
    lines: ['L63'],
  },
  {
    name: '+2/3 precommits for this and that start the precommit timeout, even while proposing',
    from: at('propose', 0),
    input: { kind: 'precommitAny' },
    to: { precommitTimeoutScheduled: true },
    outputs: [timeout('precommit')],
    lines: ['L48'],
  },
  {
    name: 'the precommit timeout begins the next round and keeps lock and valid value',
    from: at('precommit', 1, {
      ...lockOn(V, 1),
      prevoteTimeoutScheduled: true,
      polkaFollowed: true,
      precommitTimeoutScheduled: true,
    }),
    input: { kind: 'timeoutPrecommit', round: 1 },
    to: {
      step: 'newRound',
      round: 2,
      prevoteTimeoutScheduled: false,
      polkaFollowed: false,
      precommitTimeoutScheduled: false,
    },
    outputs: [],
    lines: ['L67'],
  },
  {
    name: '+1/3 in a later round take us there',
    from: at('prevote', 1),
    input: { kind: 'skipRound', round: 5 },
    to: { step: 'newRound', round: 5 },
    outputs: [],
    lines: ['L56'],
  },
  {
    name: '+2/3 precommits of an earlier round decide',
    from: at('prevote', 4),
    input: { kind: 'precommitValue', round: 2, blockId: V },
    to: { step: 'commit', decision: { round: 2, blockId: V } },
    outputs: [{ kind: 'decide', round: 2, blockId: V }],
    lines: ['L51'],
  },
];

describe('round machine', () => {
  it.each(ROWS)('$name', ({ from, input, to, outputs, lines }) => {
    const result = transition(from, input);
    expect(result).toEqual({ state: { ...from, ...to }, outputs, lines });
    for (const line of result?.lines ?? []) reached.add(line);
  });

  afterAll(() => {
    expect([...reached].sort()).toEqual(Object.keys(PAPER_LINES).sort());
  });
});

describe('what the round machine does not react to', () => {
  const everyInput: readonly RoundInput[] = [
    ...new Map(ROWS.map((row) => [row.input.kind, row.input])).values(),
  ];

  it('anything after the decision', () => {
    expect(everyInput).toHaveLength(13);
    for (const input of everyInput) {
      expect(transition(at('commit', 1), input), input.kind).toBeUndefined();
      expect(transition(at('commit', 5), input), input.kind).toBeUndefined();
    }
  });

  const ignored: readonly [string, RoundState, RoundInput][] = [
    ['a second proposal', at('prevote', 0), proposal(V, true)],
    ['a proof of lock of our own round', at('propose', 1), reproposal(V, 1, true)],
    ['a proof of lock of no round', at('propose', 1), reproposal(V, -1, true)],
    ['+2/3 prevotes before we prevoted', at('propose', 0), { kind: 'polkaValue', blockId: V }],
    ['+2/3 nil prevotes after we precommitted', at('precommit', 0), { kind: 'polkaNil' }],
    [
      'the same +2/3 prevotes again',
      at('precommit', 0, { polkaFollowed: true }),
      { kind: 'polkaValue', blockId: V },
    ],
    ['a second prevote timeout', at('prevote', 0, { prevoteTimeoutScheduled: true }), { kind: 'polkaAny' }],
    [
      'a second precommit timeout',
      at('prevote', 0, { precommitTimeoutScheduled: true }),
      { kind: 'precommitAny' },
    ],
    ['the propose timeout of an earlier round', at('propose', 1), { kind: 'timeoutPropose', round: 0 }],
    ['the propose timeout after the prevote', at('prevote', 0), { kind: 'timeoutPropose', round: 0 }],
    ['the prevote timeout of an earlier round', at('prevote', 1), { kind: 'timeoutPrevote', round: 0 }],
    ['the prevote timeout after the precommit', at('precommit', 0), { kind: 'timeoutPrevote', round: 0 }],
    ['the precommit timeout of an earlier round', at('propose', 1), { kind: 'timeoutPrecommit', round: 0 }],
    ['a skip to our own round', at('propose', 1), { kind: 'skipRound', round: 1 }],
    ['entering a round twice', at('propose', 1), { kind: 'newRound', isProposer: true }],
    ['a value to propose after the prevote', at('prevote', 0), { kind: 'proposeValue', blockId: V }],
  ];

  it.each(ignored)('%s', (_name, state, input) => {
    expect(transition(state, input)).toBeUndefined();
  });
});
