import { expect, it } from 'vitest';
import type { Input } from '../../consensus/input.ts';
import type { Output } from '../../consensus/output.ts';
import { testValidators, testVote } from '../../consensus/testing/fixtures.ts';
import type { Vote } from '../../consensus/types/vote.ts';
import { BlockAssembly } from './block-assembly.ts';
import { replay } from './replay.ts';
import { inputRecord } from './wal-codec.ts';

const VALIDATORS = testValidators(1n, 1n);
const vote = (block: string): Vote =>
  testVote(VALIDATORS, { type: 'prevote', round: 0, from: 1, for: block, height: 3n });

it('inputs go in in order; of what the core answers only evidence is handed on', () => {
  const [first, second] = [vote('a'), vote('b')];
  const applied: Input[] = [];
  const answers: Output[][] = [
    [{ kind: 'publishVote', vote: first }],
    [
      { kind: 'reportEvidence', first, second },
      { kind: 'publishVote', vote: second },
    ],
  ];
  const told: (readonly Vote[])[] = [];
  replay(
    [first, second].map((each) => inputRecord({ kind: 'vote', vote: each })),
    {
      core: {
        apply: (input) => {
          applied.push(input);
          return answers[applied.length - 1] ?? [];
        },
      },
      assembly: new BlockAssembly(),
      evidence: { conflictingVotes: (...votes) => told.push(votes) },
    },
  );
  expect(applied).toEqual([
    { kind: 'vote', vote: first },
    { kind: 'vote', vote: second },
  ]);
  expect(told).toEqual([[first, second]]);
});

it('a record of a newer version stops it', () => {
  const ports = {
    core: { apply: () => [] },
    assembly: new BlockAssembly(),
    evidence: { conflictingVotes: () => {} },
  };
  expect(() => replay([{ type: 77, payload: new Uint8Array(3) }], ports)).toThrow('newer version');
});
