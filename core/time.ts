/**
 * Instants of the chain: seconds since 1970-01-01T00:00:00Z and nanoseconds, as protobuf's Timestamp. Text
 * is RFC 3339 in UTC as Go's `time.RFC3339Nano` writes it. No clock is read here.
 */
import { DecodeError } from './errors.ts';

/** An instant. */
export interface Instant {
  readonly seconds: bigint;
  /** 0 to 999,999,999. */
  readonly nanos: number;
}

const PATTERN = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)$/;
const DAY_SECONDS = 86_400;
/** Seconds of 0001-01-01 and after 9999-12-31: what RFC 3339 can write. */
const SECONDS_MIN = -62_135_596_800n;
const SECONDS_LIMIT = 253_402_300_800n;

/** `2026-01-02T03:04:05.006Z`: no trailing zeros in the fraction, no fraction when it is zero. */
export function formatInstant({ seconds, nanos }: Instant): string {
  if (seconds < SECONDS_MIN || seconds >= SECONDS_LIMIT || nanos < 0 || nanos > 999_999_999)
    throw new DecodeError('instant is outside the years 1 to 9999', { seconds, nanos });
  const total = Number(seconds);
  const days = Math.floor(total / DAY_SECONDS);
  const rest = total - days * DAY_SECONDS;
  const { year, month, day } = civilDate(days);
  const date = `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`;
  const clock = [Math.floor(rest / 3600), Math.floor(rest / 60) % 60, rest % 60].map((part) => pad(part, 2));
  const fraction = nanos === 0 ? '' : `.${pad(nanos, 9).replace(/0+$/, '')}`;
  return `${date}T${clock.join(':')}${fraction}Z`;
}

/**
 * The instant that RFC 3339 text names.
 * @throws DecodeError when it is not such text or no such date exists
 */
export function parseInstant(text: string): Instant {
  const match = PATTERN.exec(text);
  if (match === null) throw new DecodeError(`not an RFC 3339 time: ${text.slice(0, 64)}`);
  const part = (i: number): number => Number(match[i]);
  const date = { year: part(1), month: part(2), day: part(3) };
  const [hour, minute, second] = [part(4), part(5), part(6)];
  const days = dayNumber(date);
  const back = civilDate(days);
  const dateExists = back.year === date.year && back.month === date.month && back.day === date.day;
  if (!dateExists || hour > 23 || minute > 59 || second > 59)
    throw new DecodeError(`no such time: ${text.slice(0, 64)}`);
  const seconds = days * DAY_SECONDS + hour * 3600 + minute * 60 + second - zoneSeconds(match[8] ?? 'Z');
  return { seconds: BigInt(seconds), nanos: Number((match[7] ?? '').padEnd(9, '0')) };
}

/** Negative, zero or positive, as `a` is before, at or after `b`. */
export function compareInstants(a: Instant, b: Instant): number {
  if (a.seconds !== b.seconds) return a.seconds < b.seconds ? -1 : 1;
  return a.nanos - b.nanos;
}

/** Nanoseconds since 1970. */
export function nanosecondsOf({ seconds, nanos }: Instant): bigint {
  return seconds * 1_000_000_000n + BigInt(nanos);
}

/** The instant so much later; a duration has its own seconds and nanoseconds, both of the same sign. */
export function addDuration(instant: Instant, duration: Instant): Instant {
  const nanos = instant.nanos + duration.nanos;
  const carry = nanos >= 1_000_000_000 ? 1 : nanos < 0 ? -1 : 0;
  return {
    seconds: instant.seconds + duration.seconds + BigInt(carry),
    nanos: nanos - carry * 1_000_000_000,
  };
}

function zoneSeconds(zone: string): number {
  if (zone === 'Z' || zone === 'z') return 0;
  const [hours = '0', minutes = '0'] = zone.slice(1).split(':');
  if (Number(hours) > 23 || Number(minutes) > 59) throw new DecodeError(`no such time zone: ${zone}`);
  const seconds = Number(hours) * 3600 + Number(minutes) * 60;
  return zone.startsWith('-') ? -seconds : seconds;
}

interface CivilDate {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

/**
 * Days since 1970-01-01 in the proleptic Gregorian calendar; years begin in March, so that leap days come
 * last.
 */
function dayNumber({ year, month, day }: CivilDate): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

function civilDate(days: number): CivilDate {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const leap = Math.floor(dayOfEra / 1460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096);
  const yearOfEra = Math.floor((dayOfEra - leap) / 365);
  const before = 365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100);
  const dayOfYear = dayOfEra - before;
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1;
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}

function pad(value: number, digits: number): string {
  return String(value).padStart(digits, '0');
}
