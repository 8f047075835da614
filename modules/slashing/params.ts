import { fromUtf8, utf8 } from '../../core/bytes.ts';
import { Decimal } from '../../core/decimal.ts';
import { messageOf } from '../../core/errors.ts';
import { StateError, sdkErrors } from '../../framework/errors.ts';
import type { ValueCodec } from '../../framework/values.ts';
import { Params } from '../../proto/gen/cosmos/slashing/v1beta1/slashing.ts';
import type { SlashingParams } from './types.ts';

/** Longest window: a validator's bitmap, which its jailing removes, then has a thousand pieces. */
export const SIGNED_BLOCKS_WINDOW_MAX = 1_000_000n;

/** Longest jail term: Go's durations are 64 bits of nanoseconds, 292 years. */
const DURATION_SECONDS_MAX = 9_223_372_036n;

/** Least values that a genesis document may have. */
const GENESIS_WINDOW_MIN = 10n;
const GENESIS_JAIL_SECONDS_MIN = 60n;

/** The SDK's defaults: half of a hundred blocks, ten minutes, 5 % and 1 %. */
export const DEFAULT_PARAMS: SlashingParams = {
  signedBlocksWindow: 100n,
  minSignedPerWindow: Decimal.ofText('0.5'),
  downtimeJailDuration: { seconds: 600n, nanos: 0 },
  slashFractionDoubleSign: Decimal.ofText('0.05'),
  slashFractionDowntime: Decimal.ofText('0.01'),
};

/**
 * Checks parameters, whoever sets them: as x/slashing does, with upper bounds for what would make a block's
 * work unbounded.
 * @throws StateError (sdk 18)
 */
export function validateParams(params: SlashingParams): void {
  const problem = problemOf(params);
  if (problem !== undefined) throw new StateError(sdkErrors.invalidRequest, problem);
}

function problemOf(params: SlashingParams): string | undefined {
  const { signedBlocksWindow: window, downtimeJailDuration } = params;
  if (window <= 0n) return `signed blocks window must be positive: ${window}`;
  if (window > SIGNED_BLOCKS_WINDOW_MAX)
    return `signed blocks window must be at most ${SIGNED_BLOCKS_WINDOW_MAX}: ${window}`;
  const { seconds, nanos } = downtimeJailDuration;
  if (seconds < 0n || nanos < 0 || nanos > 999_999_999 || (seconds === 0n && nanos === 0))
    return `downtime jail duration must be positive: ${seconds} s and ${nanos} ns`;
  if (seconds >= DURATION_SECONDS_MAX)
    return `downtime jail duration must be shorter than ${DURATION_SECONDS_MAX} s: ${seconds}`;
  return (
    problemOfFraction(params.minSignedPerWindow, 'min signed per window') ??
    problemOfFraction(params.slashFractionDoubleSign, 'double sign slash fraction') ??
    problemOfFraction(params.slashFractionDowntime, 'downtime slash fraction')
  );
}

function problemOfFraction(fraction: Decimal, name: string): string | undefined {
  if (fraction.sign < 0) return `${name} cannot be negative: ${fraction}`;
  if (fraction.greaterThan(Decimal.ONE)) return `${name} too large: ${fraction}`;
  return undefined;
}

/**
 * What is wrong with parameters that a chain would begin with, in the SDK's words; they are valid otherwise.
 */
export function problemOfGenesisParams({
  signedBlocksWindow,
  downtimeJailDuration,
}: SlashingParams): string | undefined {
  const { seconds } = downtimeJailDuration;
  if (seconds < GENESIS_JAIL_SECONDS_MIN)
    return `downtime unjail duration must be at least 1 minute, is ${seconds}s`;
  if (signedBlocksWindow < GENESIS_WINDOW_MIN)
    return `signed blocks window must be at least ${GENESIS_WINDOW_MIN}, is ${signedBlocksWindow}`;
  return undefined;
}

/** Blocks of a window that must be signed. */
export function minSignedBlocks({ signedBlocksWindow, minSignedPerWindow }: SlashingParams): bigint {
  return minSignedPerWindow.multiplyInteger(signedBlocksWindow).round();
}

/** Parameters as the message has them. */
export function paramsToWire(params: SlashingParams): Params {
  return {
    signedBlocksWindow: params.signedBlocksWindow,
    minSignedPerWindow: utf8(params.minSignedPerWindow.toWire()),
    downtimeJailDuration: params.downtimeJailDuration,
    slashFractionDoubleSign: utf8(params.slashFractionDoubleSign.toWire()),
    slashFractionDowntime: utf8(params.slashFractionDowntime.toWire()),
  };
}

/** @throws StateError (sdk 18) when a fraction is missing or no decimal */
export function paramsOfWire(held: Params): SlashingParams {
  return {
    signedBlocksWindow: held.signedBlocksWindow,
    minSignedPerWindow: fractionOf(held.minSignedPerWindow, 'min signed per window'),
    downtimeJailDuration: held.downtimeJailDuration,
    slashFractionDoubleSign: fractionOf(held.slashFractionDoubleSign, 'double sign slash fraction'),
    slashFractionDowntime: fractionOf(held.slashFractionDowntime, 'downtime slash fraction'),
  };
}

function fractionOf(bytes: Uint8Array, name: string): Decimal {
  if (bytes.length === 0) throw new StateError(sdkErrors.invalidRequest, `${name} cannot be nil`);
  try {
    return Decimal.ofWire(fromUtf8(bytes));
  } catch (error) {
    throw new StateError(sdkErrors.invalidRequest, `invalid ${name}: ${messageOf(error)}`);
  }
}

/** Codec of the parameters. */
export const paramsValue: ValueCodec<SlashingParams> = {
  encode: (params) => Params.encode(paramsToWire(params)),
  decode: (bytes) => paramsOfWire(Params.decode(bytes)),
};
