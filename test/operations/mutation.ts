/** Messages that are wrong in one place, whatever their type: a field gets a value that is unlikely. */
import type { Field } from '../../proto/codec/field.ts';
import type { MessageType } from '../../proto/codec/message.ts';
import type { Random } from './random.ts';

type Properties = Readonly<Record<string, unknown>>;

const TEXTS = [
  '',
  '-1',
  '0',
  '1e3',
  'open1qqq',
  '340282366920938463463374607431768211456',
  'x'.repeat(300),
] as const;
const LARGE = [0n, 1n, (1n << 63n) - 1n, (1n << 64n) - 1n] as const;

/** The same message with one field changed. */
export function mutated(type: MessageType<unknown>, bytes: Uint8Array, random: Random): Uint8Array {
  return type.encode(changed(type, type.decode(bytes), random));
}

function changed(type: MessageType<unknown>, message: unknown, random: Random): unknown {
  const field = random.some(type.fields);
  if (field === undefined) return message;
  const properties = message as Properties;
  return { ...properties, [field.name]: changedField(field, properties[field.name], random) };
}

function changedField(field: Field, value: unknown, random: Random): unknown {
  if (field.rule !== 'repeated') return value === undefined ? undefined : changedValue(field, value, random);
  const list: readonly unknown[] = Array.isArray(value) ? value : [];
  if (list.length === 0 || random.oneIn(3)) return [];
  if (random.oneIn(3)) return [...list, ...list];
  const at = random.below(list.length);
  return list.map((item, i) => (i === at ? changedValue(field, item, random) : item));
}

function changedValue(field: Field, value: unknown, random: Random): unknown {
  const { value: held } = field;
  if (held.kind === 'message') return changed(held.message(), value, random);
  if (held.kind === 'enum') return random.below(9);
  if (typeof value === 'bigint')
    return held.kind === 'int64' && random.oneIn(3) ? -1n : random.pick(LARGE) >> 1n;
  if (typeof value === 'number') return random.pick([0, 1, 2, 100_000]);
  if (typeof value === 'string') return random.pick(TEXTS);
  if (typeof value === 'boolean') return !value;
  return value instanceof Uint8Array ? value.subarray(random.below(value.length + 1)) : value;
}
