/**
 * Time as blocks and votes carry it: a protobuf Timestamp. Seconds since 1970-01-01T00:00:00Z, and
 * nanoseconds 0…999,999,999 on top of them.
 */
import { DecodeError } from '../../core/errors.ts';

/** A point in time (google.protobuf.Timestamp). */
export interface Time {
  readonly seconds: bigint;
  readonly nanos: number;
}

/**
 * Go's zero time, 0001-01-01T00:00:00Z: what CometBFT writes where there is no time, above all in the entry
 * of an absent validator in a commit. It is part of hashed bytes and therefore not the zero of the protobuf
 * message.
 */
export const ZERO_TIME: Time = { seconds: -62_135_596_800n, nanos: 0 };

const SECONDS_MAX = 253_402_300_799n;
const NANOS_PER_SECOND = 1_000_000_000n;

/** Negative, zero or positive as `a` is before, at or after `b`. */
export function compareTime(a: Time, b: Time): number {
  if (a.seconds !== b.seconds) return a.seconds < b.seconds ? -1 : 1;
  return a.nanos - b.nanos;
}

/** True for Go's zero time. */
export function isZeroTime(time: Time): boolean {
  return compareTime(time, ZERO_TIME) === 0;
}

/** Nanoseconds since 1970. */
export function timeToNanos(time: Time): bigint {
  return time.seconds * NANOS_PER_SECOND + BigInt(time.nanos);
}

/** The time that many nanoseconds after 1970 (before it, when negative). */
export function timeFromNanos(nanos: bigint): Time {
  let seconds = nanos / NANOS_PER_SECOND;
  let rest = nanos % NANOS_PER_SECOND;
  if (rest < 0n) {
    rest += NANOS_PER_SECOND;
    seconds -= 1n;
  }
  return { seconds, nanos: Number(rest) };
}

/**
 * Checks a time from outside: years 1 to 9999 and a whole number of nanoseconds below a second, as protobuf
 * demands.
 * @throws DecodeError otherwise
 */
export function checkTime(time: Time, what: string): Time {
  const wellFormed =
    time.seconds >= ZERO_TIME.seconds &&
    time.seconds <= SECONDS_MAX &&
    Number.isInteger(time.nanos) &&
    time.nanos >= 0 &&
    time.nanos < Number(NANOS_PER_SECOND);
  if (!wellFormed) throw new DecodeError(`${what}: time out of range`, { ...time });
  return time;
}
