/** JSON forms of single values as the SDK writes them in genesis documents, for all modules. */
import { Decimal } from '../core/decimal.ts';
import { formatInstant, type Instant, parseInstant } from '../core/time.ts';
import type { Address, AddressCodec } from './address.ts';
import type { JsonReader } from './json.ts';

const DURATION = /^([0-9]{1,12})(?:\.([0-9]{1,9}))?s$/;
const UINT32_MAX = 0xffff_ffffn;

/** `1814400s`, with three, six or nine places when there are nanoseconds. */
export function durationToJson({ seconds, nanos }: Instant): string {
  if (nanos === 0) return `${seconds}s`;
  const places = String(nanos)
    .padStart(9, '0')
    .replace(/(000){1,2}$/, '');
  return `${seconds}.${places}s`;
}

/** A duration that is not negative. */
export function durationFromJson(json: JsonReader): Instant {
  const match = DURATION.exec(json.text());
  if (match === null) return json.fail('is not a duration such as 1814400s');
  const [, seconds = '0', fraction = ''] = match;
  return { seconds: BigInt(seconds), nanos: Number(fraction.padEnd(9, '0')) };
}

/** `0.100000000000000000`. */
export function decimalFromJson(json: JsonReader): Decimal {
  const text = json.text();
  return json.attempt(() => Decimal.ofText(text));
}

/** `2026-01-02T03:04:05Z`. */
export function timeFromJson(json: JsonReader): Instant {
  const text = json.text();
  return json.attempt(() => {
    const instant = parseInstant(text);
    formatInstant(instant);
    return instant;
  });
}

/** An unsigned 32-bit number. */
export function smallFromJson(json: JsonReader): number {
  const value = json.integer();
  return value < 0n || value > UINT32_MAX ? json.fail(`${value} is no uint32`) : Number(value);
}

/** An integer that is not negative. */
export function amountFromJson(json: JsonReader): bigint {
  const value = json.integer();
  return value < 0n ? json.fail(`${value} is negative`) : value;
}

/** A signed 64-bit number that is not negative: heights, powers. */
export function heightFromJson(json: JsonReader): bigint {
  const value = amountFromJson(json);
  return BigInt.asIntN(64, value) === value ? value : json.fail(`${value} is no int64`);
}

/** An address under the codec's prefix. */
export function addressFromJson(json: JsonReader, addresses: AddressCodec): Address {
  const text = json.text();
  return json.attempt(() => addresses.toBytes(text));
}
