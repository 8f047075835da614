/** Changes that keep a text JSON. */
import { fromUtf8, utf8 } from '../../core/bytes.ts';
import { mutateBytes } from './mutate-bytes.ts';
import type { Random } from './random.ts';

/** Stands where text goes that `JSON.stringify` does not write. */
const MARK = '\u0001mark';
const QUOTED_MARK = JSON.stringify(MARK);

const TEXTS: readonly [string, ...string[]] = [
  ...(['null', '0', '-1', '-0', '1e308', '1e400', '0.5', '4294967296', '9007199254740993', 'true'] as const),
  ...['""', '"0"', '"-1"', '"9223372036854775807"', '"9223372036854775808"', '"00"', '"0x"', '"1e3"'],
  ...['"AA=="', '"A"', '"====" ', '"zz"', '"2020-01-01T00:00:00Z"', '"0001-01-01T00:00:00Z"', '"\\ud800"'],
  ...['[]', '{}', '[null]', '[[]]', '{"__proto__":{}}', '{"constructor":1}', '{"toJSON":1}'],
];
const DEPTHS: readonly [number, ...number[]] = [3, 63, 64, 65];
const COUNTS: readonly [number, ...number[]] = [2, 11, 40];

/** Great ones take long, so they are seldom. */
const GREAT_ONE_IN = 512;
const GREAT: readonly [number, ...number[]] = [1_000, 5_000, 20_000];

function somewhere(value: unknown, random: Random): unknown {
  if (typeof value !== 'object' || value === null || random.oneIn(6)) return MARK;
  if (Array.isArray(value)) {
    const list: readonly unknown[] = value;
    const at = random.below(list.length);
    if (list.length === 0) return MARK;
    if (random.oneIn(8)) return list.filter((_, i) => i !== at);
    if (random.oneIn(8))
      return new Array<unknown>(random.pick(random.oneIn(GREAT_ONE_IN) ? GREAT : COUNTS)).fill(list[at]);
    return list.map((item, i) => (i === at ? somewhere(item, random) : item));
  }
  const members = Object.entries(value);
  const at = random.below(members.length);
  if (members.length === 0) return MARK;
  if (random.oneIn(12)) return Object.fromEntries(members.filter((_, i) => i !== at));
  return Object.fromEntries(
    members.map(([name, item], i) => [name, i === at ? somewhere(item, random) : item]),
  );
}

function replacement(random: Random): string {
  if (!random.oneIn(5)) return random.pick(TEXTS);
  const depth = random.pick(random.oneIn(GREAT_ONE_IN / 8) ? GREAT : DEPTHS);
  if (random.oneIn(3)) return `"${'a'.repeat(depth)}"`;
  if (random.oneIn(2)) return '{"a":'.repeat(depth) + '0' + '}'.repeat(depth);
  return '['.repeat(depth) + ']'.repeat(depth);
}

/** One change; of the bytes when they are not JSON. */
export function mutateJson(bytes: Uint8Array, random: Random): Uint8Array {
  if (random.oneIn(4)) return mutateBytes(bytes, random);
  try {
    const text = JSON.stringify(somewhere(JSON.parse(fromUtf8(bytes)), random));
    return utf8(text.replace(QUOTED_MARK, () => replacement(random)));
  } catch {
    // No JSON, or nested too deeply to be written again.
    return mutateBytes(bytes, random);
  }
}
