/** Arithmetic of money: integers only, every unit accounted for. */
import type { SplitPolicy } from '../../proto/gen/openledger/models/v1/models.ts';
import { Party } from '../../proto/gen/openledger/models/v1/models.ts';
import { AssertionError, assert } from '../../core/errors.ts';

/** Basis points of the whole. */
export const BPS_WHOLE = 10_000n;

/** A model's price in base units. */
export interface Rates {
  readonly inPer1000: bigint;
  readonly outPer1000: bigint;
  readonly perCall: bigint;
}

/** Tokens of one inference. */
export interface Usage {
  readonly tokensIn: bigint;
  readonly tokensOut: bigint;
}

/** The parts of a fee. They add up to it. */
export interface SplitParts {
  readonly platform: bigint;
  readonly model: bigint;
  readonly stakers: bigint;
  readonly contributors: bigint;
}

/** (tokensIn × inPer1000 + tokensOut × outPer1000) / 1000, rounded up once, + perCall. */
export function inferenceFee(rates: Rates, usage: Usage): bigint {
  const thousandths = usage.tokensIn * rates.inPer1000 + usage.tokensOut * rates.outPer1000;
  return (thousandths + 999n) / 1000n + rates.perCall;
}

/**
 * Divides a fee by a policy whose parts add up to 10,000: each rounded down, the remainder to the residual
 * party.
 */
export function splitFee(fee: bigint, policy: SplitPolicy): SplitParts {
  const part = (bps: number): bigint => (fee * BigInt(bps)) / BPS_WHOLE;
  const parts = {
    platform: part(policy.platformBps),
    model: part(policy.modelBps),
    stakers: part(policy.stakersBps),
    contributors: part(policy.contributorsBps),
  };
  const rest = fee - sumOfParts(parts);
  assert(rest >= 0n && rest < 4n, 'split policy does not add up', { fee: fee.toString() });
  return addToParty(parts, policy.residual, rest);
}

/** The same parts with an amount added to one party. */
export function addToParty(parts: SplitParts, party: Party, amount: bigint): SplitParts {
  switch (party) {
    case Party.PARTY_PLATFORM:
      return { ...parts, platform: parts.platform + amount };
    case Party.PARTY_MODEL:
      return { ...parts, model: parts.model + amount };
    case Party.PARTY_STAKERS:
      return { ...parts, stakers: parts.stakers + amount };
    case Party.PARTY_CONTRIBUTORS:
      return { ...parts, contributors: parts.contributors + amount };
    default:
      throw new AssertionError(`there is no party ${party}`);
  }
}

/** The fee that parts make up. */
export function sumOfParts(parts: SplitParts): bigint {
  return parts.platform + parts.model + parts.stakers + parts.contributors;
}
