/** Schedules: against the SDK's own, and by hand. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../core/bytes.ts';
import { AddressCodec } from '../../framework/address.ts';
import { amountOf, type Coins, coinsFromString, coinsToString } from '../../framework/coins.ts';
import { Any } from '../../proto/gen/google/protobuf/any.ts';
import { accountOfAny, accountToAny } from './state.ts';
import type { Account, Vesting } from './types.ts';
import { afterDelegation, afterUndelegation, lockedCoins, vestedCoins } from './vesting.ts';
import { validateVesting } from './vesting-wire.ts';

interface Vector {
  readonly name: string;
  readonly any: string;
  readonly schedule: readonly { readonly at: number; readonly vested: string; readonly locked: string }[];
  readonly delegatedFree: string;
  readonly delegatedVesting: string;
  readonly lockedAfter: string;
  readonly freeAfter: string;
  readonly vestingAfter: string;
}

const FILE = join(import.meta.dirname, '../../test/vectors/vesting/accounts.json');
const VECTORS = JSON.parse(readFileSync(FILE, 'utf8')) as readonly Vector[];
const START = 1_700_000_000n;
const addresses = new AddressCodec('open');

function accountOf(vector: Vector): Account {
  return accountOfAny(Any.decode(fromHex(vector.any)), addresses);
}

/** The schedule of a vector before anything was delegated. */
function freshOf(vector: Vector): Vesting {
  const { vesting } = accountOf(vector);
  if (vesting === undefined) throw new RangeError('no vesting account');
  return { ...vesting, delegatedFree: [], delegatedVesting: [] };
}

/** The SDK keeps coins of nothing in what has vested. */
function withoutZeros(text: string): string {
  return text
    .split(',')
    .filter((coin) => !/^0[a-z]/.test(coin))
    .join(',');
}

describe.each(VECTORS)("the SDK's $name account", (vector) => {
  it('has the same bytes', () => {
    const account = accountOf(vector);
    expect(account).toMatchObject({ accountNumber: 11n, sequence: 3n, vesting: { kind: vector.name } });
    expect(toHex(Any.encode(accountToAny(account, addresses)))).toBe(vector.any);
  });

  it('vests at the same times', () => {
    const vesting = freshOf(vector);
    for (const { at, vested, locked } of vector.schedule) {
      expect(coinsToString(vestedCoins(vesting, BigInt(at)))).toBe(withoutZeros(vested));
      expect(coinsToString(lockedCoins(vesting, BigInt(at)))).toBe(locked);
    }
  });

  it('keeps the same account of what is delegated', () => {
    const [delegated, back] =
      vector.name === 'periodic' ? ['80uopen', '79uopen'] : ['1500000uopen', '1100000uopen'];
    const after = afterDelegation(freshOf(vector), coinsFromString(delegated), START + 500n);
    expect(coinsToString(after.delegatedFree)).toBe(vector.delegatedFree);
    expect(coinsToString(after.delegatedVesting)).toBe(vector.delegatedVesting);
    expect(coinsToString(lockedCoins(after, START + 20n))).toBe(vector.lockedAfter);
    const last = afterUndelegation(after, coinsFromString(back));
    expect(coinsToString(last.delegatedFree)).toBe(vector.freeAfter);
    expect(coinsToString(last.delegatedVesting)).toBe(vector.vestingAfter);
    expect(last).toEqual(accountOf(vector).vesting);
  });
});

const coins = (amount: bigint): Coins => (amount === 0n ? [] : [{ denom: 'uopen', amount }]);

function continuous(original: bigint, length: bigint): Vesting {
  const none = { delegatedFree: [], delegatedVesting: [], periods: [] };
  return { kind: 'continuous', original: coins(original), startTime: 0n, endTime: length, ...none };
}

describe('a schedule by hand', () => {
  it('vests evenly, rounded half to even after the part of the time is rounded', () => {
    // 1/3 of the time is 0.333333333333333333; of 3 × 10^18 that is 999,999,999,999,999,999.
    const large = continuous(3n * 10n ** 18n, 3n);
    expect(amountOf(vestedCoins(large, 1n), 'uopen')).toBe(10n ** 18n - 1n);
    // 10 × 0.25 = 2.5 → 2, 14 × 0.25 = 3.5 → 4.
    expect(amountOf(vestedCoins(continuous(10n, 4n), 1n), 'uopen')).toBe(2n);
    expect(amountOf(vestedCoins(continuous(14n, 4n), 1n), 'uopen')).toBe(4n);
  });

  it('has all vested when it ends before it starts, but for the moment of the start', () => {
    const past = { ...continuous(10n, 0n), startTime: 5n, endTime: 3n };
    expect([5n, 6n].map((at) => amountOf(vestedCoins(past, at), 'uopen'))).toEqual([0n, 10n]);
    expect(() => validateVesting(past)).not.toThrow();
  });

  it('delegates what is locked first, and takes back what is free first', () => {
    // V = 100 − 40 = 60. Delegating 75: X = min(60 − 0, 75) = 60, Y = 15; nothing stays locked.
    const at = 40n;
    const once = afterDelegation(continuous(100n, 100n), coins(75n), at);
    expect(once).toMatchObject({ delegatedVesting: coins(60n), delegatedFree: coins(15n) });
    expect(lockedCoins(once, at)).toEqual([]);
    // Later V = 10: delegating 5 more, X = min(max(10 − 60, 0), 5) = 0, Y = 5.
    const twice = afterDelegation(once, coins(5n), 90n);
    expect(twice).toMatchObject({ delegatedVesting: coins(60n), delegatedFree: coins(20n) });
    // Back come 30: X = min(20, 30) = 20 free, Y = min(60, 10) = 10 vesting.
    const back = afterUndelegation(twice, coins(30n));
    expect(back).toMatchObject({ delegatedVesting: coins(50n), delegatedFree: [] });
    // At 40 again V = 60, of which 50 are delegated: 10 are locked.
    expect(lockedCoins(back, at)).toEqual(coins(10n));
  });

  it('never locks more than it began with, and less and less while nothing is delegated', () => {
    fc.assert(
      fc.property(
        fc.bigInt(1n, 2n ** 80n),
        fc.bigInt(1n, 10n ** 9n),
        fc.array(fc.bigInt(0n, 10n ** 9n), { minLength: 2 }),
        (original, length, times) => {
          const vesting = continuous(original, length);
          const sorted = [...times].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
          let before = original;
          for (const at of sorted) {
            const locked = amountOf(lockedCoins(vesting, at), 'uopen');
            expect(locked).toBeLessThanOrEqual(before);
            before = locked;
          }
        },
      ),
    );
  });

  it.each<[string, Partial<Vesting>, string]>([
    ['no coins', { original: [] }, 'invalid coins'],
    ['an end before the beginning of time', { endTime: -1n }, 'end time cannot be negative'],
    ['an end of what never ends', { kind: 'permanent' }, 'cannot have an end-time'],
    ['more delegated than there was', { delegatedVesting: coins(101n) }, 'cannot be greater than original'],
    ['periods of another length', { kind: 'periodic', periods: [] }, 'does not match length of all'],
    [
      'periods of other coins',
      { kind: 'periodic', periods: [{ length: 100n, amount: coins(99n) }] },
      'does not match the sum of all coins',
    ],
  ])('makes no sense with %s', (_, change, problem) => {
    expect(() => validateVesting({ ...continuous(100n, 100n), ...change })).toThrow(problem);
  });
});
