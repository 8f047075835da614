/** Decimal numbers of any size, compared exactly: what event queries compare attribute values with. */

/** Most digits that are read; longer numbers are not numbers. */
const DIGITS_MAX = 512;

/** `digits` × 10^-`scale`. */
export interface Decimal {
  readonly digits: bigint;
  readonly scale: number;
}

const FORM = /^(\d+)(?:\.(\d*))?$/;
const PREFIX = /^\d+(\.\d+)?/;

/** The number that the whole text spells: `12`, `3.25`. */
export function parseDecimal(text: string): Decimal | undefined {
  if (text.length > DIGITS_MAX) return undefined;
  const match = FORM.exec(text);
  if (match === null) return undefined;
  const fraction = match[2] ?? '';
  return { digits: BigInt(`${match[1]}${fraction}`), scale: fraction.length };
}

/** The number that a text begins with: 8 in `8uopen`. */
export function leadingDecimal(text: string): Decimal | undefined {
  const match = PREFIX.exec(text);
  return match === null ? undefined : parseDecimal(match[0]);
}

/** Negative, zero or positive. */
export function compareDecimal(a: Decimal, b: Decimal): number {
  const left = a.digits * 10n ** BigInt(Math.max(0, b.scale - a.scale));
  const right = b.digits * 10n ** BigInt(Math.max(0, a.scale - b.scale));
  return left < right ? -1 : left > right ? 1 : 0;
}
