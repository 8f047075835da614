import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex } from '../core/bytes.ts';
import { incrementProposerPriority, updateValidators } from './proposer.ts';
import { testValidators } from './testing/fixtures.ts';
import type { ValidatorSet } from './types/validator.ts';

const powers = fc.array(fc.bigInt({ min: 1n, max: 30n }), { minLength: 1, maxLength: 8 });

function proposerOf(set: ValidatorSet): string {
  return toHex(set.proposer?.address ?? new Uint8Array(0));
}

describe('proposer selection', () => {
  it('gives each validator exactly its share of a full cycle', () => {
    fc.assert(
      fc.property(powers, (given) => {
        let set = testValidators(...given);
        const turns = new Map<string, bigint>();
        for (let turn = 0n; turn < set.totalVotingPower; turn++) {
          turns.set(proposerOf(set), (turns.get(proposerOf(set)) ?? 0n) + 1n);
          set = incrementProposerPriority(set, 1);
        }
        for (const { address, votingPower } of set.validators)
          expect(turns.get(toHex(address))).toBe(votingPower);
      }),
      { numRuns: 60 },
    );
  });

  it('keeps priorities within two total powers of each other, and centred', () => {
    fc.assert(
      fc.property(
        powers,
        fc.array(fc.record({ at: fc.nat(7), power: fc.bigInt({ min: 0n, max: 10n ** 15n }) })),
        (given, changes) => {
          let set = testValidators(...given);
          for (const { at, power } of changes) {
            const target = set.validators[at % set.validators.length];
            const only = set.validators.length === 1;
            if (target === undefined || (only && power === 0n)) continue;
            set = updateValidators(set, [{ publicKey: target.publicKey, votingPower: power }]);
            set = incrementProposerPriority(set, 1);
            const priorities = set.validators.map(({ proposerPriority }) => proposerPriority);
            const [low = 0n, high = 0n] = [
              priorities.reduce((a, b) => (a < b ? a : b)),
              priorities.reduce((a, b) => (a > b ? a : b)),
            ];
            // One turn moves a priority by at most the total power beyond the window that was made before it.
            expect(high - low).toBeLessThanOrEqual(4n * set.totalVotingPower);
            const sum = priorities.reduce((a, b) => a + b, 0n);
            const bound = BigInt(priorities.length);
            expect(sum >= -bound && sum <= bound).toBe(true);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('does not change the set it is given', () => {
    const set = testValidators(5n, 3n, 1n);
    const before = set.validators.map(({ proposerPriority }) => proposerPriority);
    incrementProposerPriority(set, 7);
    updateValidators(set, [
      {
        publicKey: set.validators[0]?.publicKey ?? { type: 'ed25519', bytes: new Uint8Array(32) },
        votingPower: 9n,
      },
    ]);
    expect(set.validators.map(({ proposerPriority }) => proposerPriority)).toEqual(before);
  });
});
