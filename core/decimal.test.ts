import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Decimal } from './decimal.ts';
import { LedgerError } from './errors.ts';

interface Vector {
  readonly a: string;
  readonly b: string;
  readonly results: Readonly<Record<string, string>>;
}

const vectors: readonly Vector[] = JSON.parse(
  readFileSync(join(import.meta.dirname, '../test/vectors/decimal/operations.json'), 'utf8'),
);

type Operation = (a: Decimal, b: Decimal) => Decimal | bigint | string;

const OPERATIONS: Readonly<Record<string, Operation>> = {
  add: (a, b) => a.add(b),
  sub: (a, b) => a.subtract(b),
  mul: (a, b) => a.multiply(b),
  mulTruncate: (a, b) => a.multiplyTruncate(b),
  mulRoundUp: (a, b) => a.multiplyRoundUp(b),
  quo: (a, b) => a.divide(b),
  quoTruncate: (a, b) => a.divideTruncate(b),
  quoRoundUp: (a, b) => a.divideRoundUp(b),
  mulInteger: (a, b) => a.multiplyInteger(b.truncate()),
  quoInteger: (a, b) => a.divideInteger(b.truncate()),
  truncate: (a) => a.truncate(),
  round: (a) => a.round(),
  ceil: (a) => a.ceil(),
  text: (a) => a.toString(),
  ...Object.fromEntries([0n, 1n, 2n, 3n, 4n, 5n].map((n) => [`power${n}`, (a: Decimal) => a.power(n)])),
};

function result(run: () => Decimal | bigint | string): string {
  try {
    const value = run();
    return value instanceof Decimal ? value.toWire() : value.toString();
  } catch (error) {
    if (error instanceof LedgerError && error.code === 'decimal.overflow') return 'overflow';
    throw error;
  }
}

describe('Decimal', () => {
  it('gives what LegacyDec gives', () => {
    for (const { a, b, results } of vectors)
      for (const [name, expected] of Object.entries(results)) {
        const operation = OPERATIONS[name];
        if (operation === undefined) throw new Error(`no operation ${name}`);
        if (name === 'quoRoundUp' && a.startsWith('-') !== b.startsWith('-')) continue; // one too many in Go
        const given = result(() => operation(Decimal.ofWire(a), Decimal.ofWire(b)));
        expect(`${name} of ${a} and ${b}: ${given}`).toBe(`${name} of ${a} and ${b}: ${expected}`);
      }
  });

  it('comes back from its texts', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 300n), max: 2n ** 300n }), (units) => {
        const value = Decimal.ofUnits(units);
        expect(Decimal.ofText(value.toString()).units).toBe(units);
        expect(Decimal.ofWire(value.toWire()).units).toBe(units);
      }),
    );
  });

  it.each(['', '.5', '5.', '1.2.3', '+1', '1e5', ' 1', '0x1', '1.0000000000000000001', '--1'])(
    'refuses "%s"',
    (text) => {
      expect(() => Decimal.ofText(text)).toThrow('is not a decimal number');
    },
  );

  it('refuses wire text that is no integer, and division by zero', () => {
    expect(Decimal.ofWire('').units).toBe(0n);
    for (const text of ['0.5', 'x', '1'.repeat(101)])
      expect(() => Decimal.ofWire(text)).toThrow('is not an integer');
    for (const divide of ['divide', 'divideTruncate', 'divideRoundUp'] as const)
      expect(() => Decimal.ONE[divide](Decimal.ZERO)).toThrow('division by zero');
    expect(() => Decimal.ONE.divideInteger(0n)).toThrow('division by zero');
  });

  it('compares', () => {
    const [small, large] = [Decimal.ofText('-0.5'), Decimal.ofText('0.25')];
    expect([small.lessThan(large), small.greaterThan(large), small.equals(large)]).toEqual([
      true,
      false,
      false,
    ]);
    expect([Decimal.min(small, large), Decimal.max(small, large)]).toEqual([small, large]);
    expect([small.sign, Decimal.ZERO.sign, large.sign]).toEqual([-1, 0, 1]);
    expect(small.negate().toString()).toBe('0.500000000000000000');
  });
});
