/**
 * Whether a header can be trusted because another one is: pure functions, the time is given.
 *
 * | function | from | to | because |
 * | --- | --- | --- | --- |
 * | `verifyAdjacent` | h | h + 1 | h names the hash of the validators that signed h + 1 |
 * | `verifyNonAdjacent` | h | above h + 1 | more than the trust level of h's validators signed it, and 2/3 of its own |
 * | `verifyBackwards` | h | h − 1 | h names the hash of h − 1 |
 *
 * Forward steps need a trusted header that has not expired: validators can be punished for what they sign
 * as long as their stake is bonded, and not after. Source: CometBFT v0.38.21 `light/verifier.go`.
 */
import { equalBytes, toHex } from '../core/bytes.ts';
import { DecodeError, LedgerError } from '../core/errors.ts';
import { formatInstant } from '../core/time.ts';
import { checkHeader, type Header, headerHash } from '../consensus/types/header.ts';
import { checkLightBlock, type LightBlock, type SignedHeader } from '../consensus/types/light-block.ts';
import type { VerifySignature } from '../consensus/types/public-key.ts';
import { compareTime, type Time, timeFromNanos, timeToNanos } from '../consensus/types/time.ts';
import type { ValidatorSet } from '../consensus/types/validator.ts';
import {
  type TrustLevel,
  verifyCommitLight,
  verifyCommitLightTrusting,
} from '../consensus/types/verify-commit.ts';

/** What a forward step goes by. */
export interface VerifyOptions {
  /** How long a header can be trusted after its time: clearly less than the unbonding period. */
  readonly trustingPeriodNanos: bigint;
  readonly now: Time;
  /** How far a header's time may be ahead of `now`. */
  readonly maxClockDriftNanos: bigint;
  /** Fraction of the trusted validators that must have signed; from 1/3 to 1. Adjacent steps need none. */
  readonly trustLevel: TrustLevel;
  readonly verify: VerifySignature;
}

/** A header that is trusted, with validators that are known by it: those of its height, or of the next. */
export interface TrustedHeader {
  readonly signed: SignedHeader;
  readonly validators: ValidatorSet;
}

/**
 * Checks the fraction of validators that must have signed what is not adjacent: below 1/3 not one of them
 * need be honest.
 * @throws LedgerError `light.trust_level`
 */
export function checkTrustLevel(level: TrustLevel): TrustLevel {
  const { numerator, denominator } = level;
  if (denominator <= 0n || numerator * 3n < denominator || numerator > denominator) {
    throw new LedgerError(
      'light.trust_level',
      `the trust level must be a fraction from 1/3 to 1, not ${numerator}/${denominator}`,
    );
  }
  return level;
}

/** True when a header is too old to be trusted. */
export function isExpired(header: Header, trustingPeriodNanos: bigint, now: Time): boolean {
  return timeToNanos(header.time) + trustingPeriodNanos <= timeToNanos(now);
}

/**
 * Checks a block above a trusted header, whichever way fits its height.
 * @throws LedgerError as `verifyAdjacent` and `verifyNonAdjacent`
 */
export function verifyForward(trusted: TrustedHeader, untrusted: LightBlock, options: VerifyOptions): void {
  if (untrusted.header.height === trusted.signed.header.height + 1n) {
    verifyAdjacent(trusted.signed, untrusted, options);
  } else {
    verifyNonAdjacent(trusted, untrusted, options);
  }
}

/**
 * Checks the block right above a trusted header.
 * @throws LedgerError `light.expired`, `light.invalid_header`, `light.from_future`, `light.wrong_validators`
 *   (not those that the trusted header announced), `light.heights`
 */
export function verifyAdjacent(trusted: SignedHeader, untrusted: LightBlock, options: VerifyOptions): void {
  const { header } = untrusted;
  if (header.height !== trusted.header.height + 1n) throw wrongHeights(trusted, untrusted);
  checkNotExpired(trusted.header, options);
  checkNewBlock(trusted.header, untrusted, options);
  if (!equalBytes(header.validatorsHash, trusted.header.nextValidatorsHash)) {
    throw new LedgerError(
      'light.wrong_validators',
      `header ${header.height} has other validators than header ${trusted.header.height} announced`,
      { expected: toHex(trusted.header.nextValidatorsHash), got: toHex(header.validatorsHash) },
    );
  }
  checkOwnCommit(untrusted, options);
}

/**
 * Checks a block further above a trusted header.
 * @throws LedgerError `light.expired`, `light.invalid_header`, `light.from_future`,
 *   `light.new_validators_not_trusted` (too few of those that are trusted have signed: try a block in between),
 *   `light.heights`
 */
export function verifyNonAdjacent(
  trusted: TrustedHeader,
  untrusted: LightBlock,
  options: VerifyOptions,
): void {
  const { signed, validators } = trusted;
  if (untrusted.header.height === signed.header.height + 1n) throw wrongHeights(signed, untrusted);
  checkNotExpired(signed.header, options);
  checkNewBlock(signed.header, untrusted, options);
  const { trustLevel: level, verify } = options;
  const { chainId } = signed.header;
  try {
    verifyCommitLightTrusting({ chainId, trusted: validators, commit: untrusted.commit, level, verify });
  } catch (error) {
    if (!(error instanceof LedgerError) || error.code !== 'commit.power') {
      throw invalidHeader(untrusted.header, error);
    }
    const { height } = untrusted.header;
    throw new LedgerError(
      'light.new_validators_not_trusted',
      `too few of the validators trusted since height ${signed.header.height} have signed header ${height}`,
      error.facts,
      error,
    );
  }
  // Last: this set can be large, and nobody has vouched for it before.
  checkOwnCommit(untrusted, options);
}

/**
 * Checks the header right below a trusted one. Expiry does not matter: hashes do not age.
 * @throws LedgerError `light.invalid_header`
 */
export function verifyBackwards(untrusted: Header, trusted: Header): void {
  valid(untrusted, () => {
    checkHeader(untrusted);
    if (untrusted.chainId !== trusted.chainId) throw new DecodeError('it is of another chain');
    if (compareTime(untrusted.time, trusted.time) >= 0)
      throw new DecodeError('it is not older than the header above it');
    if (!equalBytes(headerHash(untrusted), trusted.lastBlockId.hash))
      throw new DecodeError('it is not the one that the header above it names');
  });
}

/**
 * Checks that the validators of a block have signed it: more than 2/3 of their power. Who they are must be
 * known from elsewhere.
 * @throws LedgerError `light.invalid_header`
 */
export function checkOwnCommit(block: LightBlock, { verify }: Pick<VerifyOptions, 'verify'>): void {
  const { header, commit, validators } = block;
  const { chainId, height } = header;
  valid(header, () =>
    verifyCommitLight({ chainId, validators, height, blockId: commit.blockId, commit, verify }),
  );
}

function checkNotExpired(header: Header, { trustingPeriodNanos, now }: VerifyOptions): void {
  if (!isExpired(header, trustingPeriodNanos, now)) return;
  const at = formatInstant(timeFromNanos(timeToNanos(header.time) + trustingPeriodNanos));
  throw new LedgerError(
    'light.expired',
    `the trusted header ${header.height} expired at ${at} (now ${formatInstant(now)}): ` +
      'give a newer trusted height and hash from a source that you trust',
    { height: header.height },
  );
}

/** The parts of the block belong together and it is later than the trusted header, but not in the future. */
function checkNewBlock(trusted: Header, untrusted: LightBlock, options: VerifyOptions): void {
  const { header } = untrusted;
  valid(header, () => {
    if (header.chainId !== trusted.chainId) throw new DecodeError('it is of another chain');
    if (header.height <= trusted.height)
      throw new DecodeError(`it is not above the trusted header ${trusted.height}`);
    if (compareTime(header.time, trusted.time) <= 0)
      throw new DecodeError(`its time is not after that of the trusted header ${trusted.height}`);
    checkLightBlock(untrusted);
  });
  if (timeToNanos(header.time) >= timeToNanos(options.now) + options.maxClockDriftNanos) {
    // Not "invalid": it may as well be our own clock that is wrong, and then every node would seem to lie.
    throw new LedgerError(
      'light.from_future',
      `header ${header.height} is of ${formatInstant(header.time)}, in the future ` +
        `(now ${formatInstant(options.now)}): check this machine's clock, or use another primary`,
      { height: header.height },
    );
  }
}

function valid(header: Header, check: () => unknown): void {
  try {
    check();
  } catch (error) {
    throw invalidHeader(header, error);
  }
}

function invalidHeader(header: Header, cause: unknown): unknown {
  if (!(cause instanceof LedgerError)) return cause;
  const message = `header ${header.height} is not valid: ${cause.message}`;
  return new LedgerError('light.invalid_header', message, { height: header.height }, cause);
}

function wrongHeights(trusted: SignedHeader, untrusted: LightBlock): LedgerError {
  return new LedgerError('light.heights', 'the step does not fit the heights', {
    trusted: trusted.header.height,
    untrusted: untrusted.header.height,
  });
}
