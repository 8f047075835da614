import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defined } from '../core/errors.ts';
import { Bench, FOUR, NAMES, nameOf, signature } from './testing/bench.ts';
import type { Input } from './input.ts';
import { testBlock, testProposal, testVote } from './testing/fixtures.ts';
import type { UnsignedVote } from './types/vote.ts';

/** Whatever may come in, sensible or not, at height 1. */
const anyInput: fc.Arbitrary<Input> = (() => {
  const round = fc.integer({ min: 0, max: 4 });
  const block = fc.constantFrom('v', 'w', 'x', undefined);
  const named = fc.constantFrom(...NAMES);
  const type = fc.constantFrom('prevote' as const, 'precommit' as const);
  const kind = fc.constantFrom(
    'propose' as const,
    'prevote' as const,
    'precommit' as const,
    'commit' as const,
  );
  const vote = fc.record({ type, round, from: fc.nat(3), block }).map(({ block, ...rest }): Input => {
    const vote = testVote(FOUR, { ...rest, ...(block === undefined ? {} : { for: block }) });
    return { kind: 'vote', vote };
  });
  return fc.oneof(
    { weight: 8, arbitrary: vote },
    {
      weight: 2,
      arbitrary: fc
        .record({ round, block: named, polRound: fc.integer({ min: -1, max: 3 }) })
        .map((given): Input => ({ kind: 'proposal', proposal: testProposal(given) })),
    },
    {
      weight: 2,
      arbitrary: fc
        .record({ block: named, validity: fc.constantFrom('accepted' as const, 'rejected' as const) })
        .map(
          ({ block, validity }): Input => ({
            kind: 'value',
            height: 1n,
            blockId: testBlock(block),
            validity,
          }),
        ),
    },
    {
      weight: 3,
      arbitrary: fc
        .record({ kind, round })
        .map((given): Input => ({ kind: 'timeoutElapsed', timeout: { ...given, height: 1n } })),
    },
    {
      weight: 1,
      arbitrary: fc.record({ round, block: named }).map(
        ({ round, block }): Input => ({
          kind: 'proposeValue',
          height: 1n,
          round,
          blockId: testBlock(block),
        }),
      ),
    },
  );
})();

describe('whatever comes in', () => {
  /**
   * Applies inputs, signing at once what is to be signed; returns the log and all that was asked to be
   * signed.
   */
  function run(own: number, inputs: readonly Input[]): { b: Bench; log: Input[]; asked: UnsignedVote[] } {
    const b = new Bench({ own });
    const log: Input[] = [];
    const asked: UnsignedVote[] = [];
    const queue: Input[] = [
      { kind: 'startHeight', height: 1n, validators: FOUR, last: undefined },
      ...inputs,
    ];
    for (let input = queue.shift(); input !== undefined; input = queue.shift()) {
      for (const output of b.core.apply(input)) {
        if (output.kind === 'appendToWal') log.push(output.input);
        if (output.kind !== 'signVote') continue;
        asked.push(output.vote);
        queue.unshift({ kind: 'signedVote', vote: signature(output.vote) });
      }
    }
    return { b, log, asked };
  }

  const runs = fc.tuple(fc.nat(3), fc.array(anyInput, { maxLength: 60 }));

  it('no step is signed twice, and none of an earlier round', () => {
    fc.assert(
      fc.property(runs, ([own, inputs]) => {
        const { asked } = run(own, inputs);
        const order = asked.map(({ type, round }) => 2 * round + (type === 'prevote' ? 0 : 1));
        expect(order).toEqual([...new Set(order)].sort((a, b) => a - b));
      }),
      { numRuns: 300 },
    );
  });

  it('a block is precommitted only on +2/3 prevotes in that round', () => {
    fc.assert(
      fc.property(runs, ([own, inputs]) => {
        const { b, asked } = run(own, inputs);
        for (const vote of asked) {
          if (vote.type !== 'precommit' || nameOf(vote.blockId) === 'nil') continue;
          const supporters = b.core.votes(vote.round, 'prevote')?.bitsFor(vote.blockId);
          const count = [0, 1, 2, 3].filter(
            (i) => ((defined(supporters, 'bits').bytes[0] ?? 0) >> i) & 1,
          ).length;
          expect(count).toBeGreaterThanOrEqual(3);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('the log brings another core to the same state', () => {
    fc.assert(
      fc.property(runs, ([own, inputs]) => {
        const { b, log } = run(own, inputs);
        const replayed = new Bench({ own });
        replayed.start();
        for (const input of log) replayed.core.apply(input);
        expect(replayed.core.view()).toEqual(b.core.view());
        expect(replayed.core.resume()).toEqual(b.core.resume());
        for (const round of b.core.voteRounds()) {
          for (const type of ['prevote', 'precommit'] as const) {
            expect(replayed.core.votes(round, type)?.bits).toEqual(b.core.votes(round, type)?.bits);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});
