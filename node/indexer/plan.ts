/**
 * What a search has to look at: the heights, and one scan per tag. Source of the semantics: CometBFT v0.38
 * `state/txindex/kv` and `state/indexer/block/kv`.
 */
import { compareDecimal, type Decimal, parseDecimal } from '../decimal.ts';
import { type Condition, holds, matchesValue, type OrderOperator, type Query } from '../query.ts';

/** Heights from `low` to `high`, both included. */
export interface HeightBounds {
  readonly low: bigint;
  readonly high: bigint;
}

/** Keys of one tag to read: those of one value, or all whose value passes. */
export interface Scan {
  readonly tag: string;
  readonly value: string | undefined;
  readonly accepts: (value: string) => boolean;
}

/** A query taken apart. No scans: every item within the heights. */
export interface SearchPlan {
  readonly heights: HeightBounds;
  readonly scans: readonly Scan[];
}

/** All heights. */
const HEIGHT_MAX = (1n << 63n) - 1n;

/** Plans a search in the index whose heights are called `heightTag`. */
export function planSearch(query: Query, heightTag: string): SearchPlan {
  const onHeight = query.conditions.filter((condition) => condition.tag === heightTag);
  const others = query.conditions.filter((condition) => condition.tag !== heightTag);
  const scans: Scan[] = [];
  const ranges = new Map<string, Condition[]>();
  for (const condition of others) {
    if (condition.operator === '=') {
      // As CometBFT, the index compares texts: `=5` finds "5", and not "5.0" or "5uopen".
      scans.push({ tag: condition.tag, value: condition.value.text, accepts: () => true });
    } else if (condition.operator === 'EXISTS' || condition.operator === 'CONTAINS') {
      scans.push({
        tag: condition.tag,
        value: undefined,
        accepts: (value) => matchesValue(condition, value),
      });
    } else {
      const range = ranges.get(condition.tag);
      if (range === undefined) ranges.set(condition.tag, [condition]);
      else range.push(condition);
    }
  }
  for (const [tag, conditions] of ranges) {
    const accepts = (value: string): boolean => conditions.every((condition) => inRange(condition, value));
    scans.push({ tag, value: undefined, accepts });
  }
  // Those of one value first: they read least and leave least to the others.
  scans.sort((a, b) => Number(a.value === undefined) - Number(b.value === undefined));
  return { heights: heightBounds(onHeight), scans };
}

function inRange(condition: Condition, text: string): boolean {
  if (condition.operator === 'EXISTS' || condition.operator === 'CONTAINS') return false;
  if (condition.value.kind !== 'number') return matchesValue(condition, text);
  const value = signedDecimal(text);
  return value !== undefined && holds(condition.operator, compareDecimal(value, condition.value.number));
}

function signedDecimal(text: string): Decimal | undefined {
  if (!text.startsWith('-')) return parseDecimal(text);
  const value = parseDecimal(text.slice(1));
  return value === undefined ? undefined : { digits: -value.digits, scale: value.scale };
}

/** The first equality counts, unless there is a range: then the range alone (CometBFT `dedupHeight`). */
function heightBounds(conditions: readonly Condition[]): HeightBounds {
  let low = 0n;
  let high = HEIGHT_MAX;
  let equal: bigint | undefined;
  let hasRange = false;
  for (const condition of conditions) {
    if (condition.operator === 'EXISTS' || condition.operator === 'CONTAINS') continue;
    const value = parseDecimal(condition.value.text);
    if (value === undefined) continue;
    const unit = 10n ** BigInt(value.scale);
    const floor = value.digits / unit;
    if (condition.operator === '=') {
      equal ??= floor;
      continue;
    }
    hasRange = true;
    const ceil = (value.digits + unit - 1n) / unit;
    const bound = rangeBound(condition.operator, { floor, ceil });
    if (bound.low !== undefined && bound.low > low) low = bound.low;
    if (bound.high !== undefined && bound.high < high) high = bound.high;
  }
  if (!hasRange && equal !== undefined) return { low: equal, high: equal };
  return { low, high };
}

function rangeBound(
  operator: OrderOperator,
  value: { readonly floor: bigint; readonly ceil: bigint },
): { readonly low?: bigint; readonly high?: bigint } {
  switch (operator) {
    case '>':
      return { low: value.floor + 1n };
    case '>=':
      return { low: value.ceil };
    case '<':
      return { high: value.ceil - 1n };
    case '<=':
      return { high: value.floor };
  }
}
