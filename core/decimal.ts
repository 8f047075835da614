import { LedgerError } from './errors.ts';

/** Digits behind the point. */
export const DECIMAL_PLACES = 18;

const ONE_UNITS = 10n ** 18n;
const HALF_UNITS = ONE_UNITS / 2n;
const SQUARED_UNITS = ONE_UNITS * ONE_UNITS;
/** No operation may give 2^256 or more (Go: `Int overflow`). */
const UNITS_LIMIT = 2n ** 256n * ONE_UNITS;
const TEXT = /^(-?)([0-9]+)(?:\.([0-9]{1,18}))?$/;
const WIRE_TEXT = /^-?[0-9]+$/;

/**
 * A number with 18 decimal places, exact to the last one, rounded as `cosmossdk.io/math` v1.4 `LegacyDec`
 * rounds: every operation names its rounding. On the wire and in state it is the integer of its units of
 * 10^-18 as decimal text; for people and in JSON it has its point.
 */
export class Decimal {
  static readonly ZERO: Decimal = new Decimal(0n);
  static readonly ONE: Decimal = new Decimal(ONE_UNITS);

  /** In units of 10^-18. */
  readonly units: bigint;

  private constructor(units: bigint) {
    this.units = units;
  }

  /** @throws LedgerError `decimal.overflow` from 2^256 on */
  static ofUnits(units: bigint): Decimal {
    if (units >= UNITS_LIMIT || units <= -UNITS_LIMIT)
      throw new LedgerError('decimal.overflow', 'decimal number is 2^256 or larger');
    return new Decimal(units);
  }

  /** @throws LedgerError `decimal.overflow` from 2^256 on */
  static ofInteger(integer: bigint): Decimal {
    return Decimal.ofUnits(integer * ONE_UNITS);
  }

  /**
   * A number as people write it: `-1.05`.
   * @throws LedgerError `decimal.text` when it is none, or has more than 18 places
   */
  static ofText(text: string): Decimal {
    const match = TEXT.exec(text);
    if (match === null)
      throw new LedgerError(
        'decimal.text',
        `"${text.slice(0, 80)}" is not a decimal number with up to 18 places`,
      );
    const [, sign = '', whole = '', fraction = ''] = match;
    const units = BigInt(whole + fraction.padEnd(DECIMAL_PLACES, '0'));
    return Decimal.ofUnits(sign === '' ? units : -units);
  }

  /**
   * As protobuf messages and state hold it. Empty, which Go reads as no number, is zero.
   * @throws LedgerError `decimal.text` when it is not an integer
   */
  static ofWire(text: string): Decimal {
    if (text === '') return Decimal.ZERO;
    if (text.length > 100 || !WIRE_TEXT.test(text))
      throw new LedgerError('decimal.text', `"${text.slice(0, 80)}" is not an integer of 10^-18 units`);
    return Decimal.ofUnits(BigInt(text));
  }

  get sign(): -1 | 0 | 1 {
    return this.units === 0n ? 0 : this.units < 0n ? -1 : 1;
  }

  add(other: Decimal): Decimal {
    return Decimal.ofUnits(this.units + other.units);
  }

  subtract(other: Decimal): Decimal {
    return Decimal.ofUnits(this.units - other.units);
  }

  negate(): Decimal {
    return new Decimal(-this.units);
  }

  /** To the nearest, halves to the even one (Go: `Mul`). */
  multiply(other: Decimal): Decimal {
    return Decimal.ofUnits(roundHalfEven(this.units * other.units));
  }

  /** Towards zero (Go: `MulTruncate`). */
  multiplyTruncate(other: Decimal): Decimal {
    return Decimal.ofUnits((this.units * other.units) / ONE_UNITS);
  }

  /** Towards positive infinity (Go: `MulRoundUp`). */
  multiplyRoundUp(other: Decimal): Decimal {
    return Decimal.ofUnits(roundUp(this.units * other.units));
  }

  multiplyInteger(factor: bigint): Decimal {
    return Decimal.ofUnits(this.units * factor);
  }

  /** To the nearest after 36 places, halves to the even one (Go: `Quo`). @throws when `other` is zero */
  divide(other: Decimal): Decimal {
    return Decimal.ofUnits(roundHalfEven((this.units * SQUARED_UNITS) / divisor(other.units)));
  }

  /** Towards zero (Go: `QuoTruncate`). @throws when `other` is zero */
  divideTruncate(other: Decimal): Decimal {
    return Decimal.ofUnits((this.units * ONE_UNITS) / divisor(other.units));
  }

  /**
   * Towards positive infinity (Go: `QuoRoundUp`, which gives one unit too many when a quotient below zero is
   * not exact; nothing divides so).
   * @throws when `other` is zero
   */
  divideRoundUp(other: Decimal): Decimal {
    const [dividend, by] = [this.units * ONE_UNITS, divisor(other.units)];
    const isUp = dividend % by !== 0n && dividend < 0n === by < 0n;
    return Decimal.ofUnits(dividend / by + (isUp ? 1n : 0n));
  }

  /** Towards zero (Go: `QuoInt`). @throws when `by` is zero */
  divideInteger(by: bigint): Decimal {
    return new Decimal(this.units / divisor(by));
  }

  /** By squaring, rounded at each step as Go's `Power`: at most 64 steps. */
  power(exponent: bigint): Decimal {
    if (exponent === 0n) return Decimal.ONE;
    let square: Decimal = this;
    let rest: Decimal = Decimal.ONE;
    for (let i = exponent; i > 1n; i /= 2n) {
      if (i % 2n !== 0n) rest = rest.multiply(square);
      square = square.multiply(square);
    }
    return square.multiply(rest);
  }

  /** The integer towards zero. */
  truncate(): bigint {
    return this.units / ONE_UNITS;
  }

  /** The nearest integer, halves to the even one. */
  round(): bigint {
    return roundHalfEven(this.units);
  }

  /** The next integer that is not smaller. */
  ceil(): bigint {
    return roundUp(this.units);
  }

  equals(other: Decimal): boolean {
    return this.units === other.units;
  }

  lessThan(other: Decimal): boolean {
    return this.units < other.units;
  }

  greaterThan(other: Decimal): boolean {
    return this.units > other.units;
  }

  static min(a: Decimal, b: Decimal): Decimal {
    return a.units < b.units ? a : b;
  }

  static max(a: Decimal, b: Decimal): Decimal {
    return a.units > b.units ? a : b;
  }

  /** With all its 18 places: `-1.050000000000000000`. */
  toString(): string {
    const positive = this.units < 0n ? -this.units : this.units;
    const digits = positive.toString().padStart(DECIMAL_PLACES + 1, '0');
    const point = digits.length - DECIMAL_PLACES;
    return `${this.units < 0n ? '-' : ''}${digits.slice(0, point)}.${digits.slice(point)}`;
  }

  /** As protobuf messages and state hold it: the integer of its units. */
  toWire(): string {
    return this.units.toString();
  }
}

function divisor(value: bigint): bigint {
  if (value === 0n) throw new LedgerError('decimal.division_by_zero', 'division by zero');
  return value;
}

function roundHalfEven(value: bigint): bigint {
  if (value < 0n) return -roundHalfEven(-value);
  const quotient = value / ONE_UNITS;
  const rest = value % ONE_UNITS;
  if (rest < HALF_UNITS || (rest === HALF_UNITS && quotient % 2n === 0n)) return quotient;
  return quotient + 1n;
}

function roundUp(value: bigint): bigint {
  const quotient = value / ONE_UNITS;
  return value > 0n && value % ONE_UNITS !== 0n ? quotient + 1n : quotient;
}
