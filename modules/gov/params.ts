import { Decimal } from '../../core/decimal.ts';
import { messageOf } from '../../core/errors.ts';
import { compareInstants } from '../../core/time.ts';
import type { AddressCodec } from '../../framework/address.ts';
import {
  type Coins,
  coinsCover,
  coinsToString,
  parseCoin,
  problemOfCoins,
  type WireCoin,
} from '../../framework/coins.ts';
import { StateError, sdkErrors } from '../../framework/errors.ts';
import type { Params, Proposal } from '../../proto/gen/cosmos/gov/v1/gov.ts';
import type { Duration } from '../../proto/gen/google/protobuf/duration.ts';

/** Longest period: Go's durations are 64 bits of nanoseconds, 292 years. */
const DURATION_SECONDS_MAX = 9_223_372_036n;

const DAY_SECONDS = 86_400n;

/** The SDK's defaults: two days each, a third of the stake, half of the votes, a third against with veto. */
export const DEFAULT_PARAMS: Params = {
  minDeposit: [{ denom: 'stake', amount: '10000000' }],
  expeditedMinDeposit: [{ denom: 'stake', amount: '50000000' }],
  maxDepositPeriod: { seconds: 2n * DAY_SECONDS, nanos: 0 },
  votingPeriod: { seconds: 2n * DAY_SECONDS, nanos: 0 },
  expeditedVotingPeriod: { seconds: DAY_SECONDS, nanos: 0 },
  quorum: '0.334000000000000000',
  threshold: '0.500000000000000000',
  expeditedThreshold: '0.667000000000000000',
  vetoThreshold: '0.334000000000000000',
  minInitialDepositRatio: '0.000000000000000000',
  proposalCancelRatio: '0.500000000000000000',
  proposalCancelDest: '',
  burnProposalDepositPrevote: false,
  burnVoteQuorum: false,
  burnVoteVeto: true,
  minDepositRatio: '0.010000000000000000',
};

/** Coins that parameters name. */
export function coinsOfWire(wire: readonly WireCoin[]): Coins {
  return wire.map(parseCoin);
}

/** Deposit with which voting on a proposal begins. */
export function minDepositOf({ expedited }: Pick<Proposal, 'expedited'>, params: Params): Coins {
  return coinsOfWire(expedited ? params.expeditedMinDeposit : params.minDeposit);
}

/**
 * Checks parameters, whoever sets them, in the SDK's order and words; also the least part of a deposit, which
 * the SDK looks at only when somebody deposits.
 * @throws StateError (sdk 18)
 */
export function validateParams(params: Params, addresses: AddressCodec): void {
  const problem =
    problemOfDeposits(params) ??
    problemOfPeriod(params.maxDepositPeriod, 'maximum deposit period') ??
    problemOfRatio(params.quorum, 'quorum', { positive: false }) ??
    problemOfThresholds(params) ??
    problemOfPeriods(params) ??
    problemOfRatio(params.minInitialDepositRatio, 'mininum initial deposit ratio of proposal', OR_ZERO) ??
    problemOfRatio(params.proposalCancelRatio, 'burn rate of cancel proposal', OR_ZERO) ??
    problemOfRatio(params.minDepositRatio, 'minimum deposit ratio', OR_ZERO) ??
    problemOfDestination(params, addresses);
  if (problem !== undefined) throw new StateError(sdkErrors.invalidRequest, problem);
}

const OR_ZERO = { positive: false } as const;
const POSITIVE = { positive: true } as const;

function problemOfDeposits({ minDeposit, expeditedMinDeposit }: Params): string | undefined {
  const least = validCoins(minDeposit);
  if (least === undefined) return `invalid minimum deposit: ${textOf(minDeposit)}`;
  const expedited = validCoins(expeditedMinDeposit);
  if (expedited === undefined) return `invalid expedited minimum deposit: ${textOf(expeditedMinDeposit)}`;
  if (coinsCover(least, expedited))
    return `expedited minimum deposit must be greater than minimum deposit: ${coinsToString(expedited)}`;
  return undefined;
}

function validCoins(wire: readonly WireCoin[]): Coins | undefined {
  try {
    const coins = coinsOfWire(wire);
    return coins.length === 0 || problemOfCoins(coins) !== undefined ? undefined : coins;
  } catch {
    return undefined;
  }
}

function textOf(wire: readonly WireCoin[]): string {
  return wire.map(({ denom, amount }) => `${amount}${denom}`).join(',');
}

function problemOfThresholds({ threshold, expeditedThreshold, vetoThreshold }: Params): string | undefined {
  const problem =
    problemOfRatio(threshold, 'vote threshold', POSITIVE) ??
    problemOfRatio(expeditedThreshold, 'expedited vote threshold', POSITIVE);
  if (problem !== undefined) return problem;
  const [regular, expedited] = [Decimal.ofText(threshold), Decimal.ofText(expeditedThreshold)];
  if (!expedited.greaterThan(regular))
    return `expedited vote threshold ${expedited}, must be greater than the regular threshold ${regular}`;
  return problemOfRatio(vetoThreshold, 'veto threshold', POSITIVE);
}

function problemOfRatio(
  text: string,
  name: string,
  { positive }: { readonly positive: boolean },
): string | undefined {
  let ratio: Decimal;
  try {
    ratio = Decimal.ofText(text);
  } catch (error) {
    return `invalid ${name} string: ${messageOf(error)}`;
  }
  if (positive && ratio.sign <= 0) return `${name} must be positive: ${ratio}`;
  if (ratio.sign < 0) return `${name} cannot be negative: ${ratio}`;
  return ratio.greaterThan(Decimal.ONE) ? `${name} too large: ${ratio}` : undefined;
}

function problemOfPeriods({ votingPeriod, expeditedVotingPeriod }: Params): string | undefined {
  const problem =
    problemOfPeriod(votingPeriod, 'voting period') ??
    problemOfPeriod(expeditedVotingPeriod, 'expedited voting period');
  if (problem !== undefined || votingPeriod === undefined || expeditedVotingPeriod === undefined)
    return problem;
  if (compareInstants(expeditedVotingPeriod, votingPeriod) < 0) return undefined;
  const [expedited, regular] = [expeditedVotingPeriod, votingPeriod].map(({ seconds }) => `${seconds}s`);
  const rule = 'must be strictly less that the regular voting period';
  return `expedited voting period ${expedited} ${rule} ${regular}`;
}

function problemOfPeriod(period: Duration | undefined, name: string): string | undefined {
  if (period === undefined) return `${name} must not be nil`;
  const { seconds, nanos } = period;
  if (seconds < 0n || nanos < 0 || nanos > 999_999_999 || (seconds === 0n && nanos === 0))
    return `${name} must be positive: ${seconds} s and ${nanos} ns`;
  if (seconds >= DURATION_SECONDS_MAX) return `${name} must be shorter than ${DURATION_SECONDS_MAX} s`;
  return undefined;
}

function problemOfDestination({ proposalCancelDest }: Params, addresses: AddressCodec): string | undefined {
  if (proposalCancelDest === '') return undefined;
  try {
    addresses.toBytes(proposalCancelDest);
    return undefined;
  } catch {
    return `deposits destination address is invalid: ${proposalCancelDest}`;
  }
}
