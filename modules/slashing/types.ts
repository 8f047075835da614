import type { Decimal } from '../../core/decimal.ts';
import type { Context, ReadContext, Timestamp } from '../../framework/context.ts';
import type { ValidatorSigningInfo } from '../../proto/gen/cosmos/slashing/v1beta1/slashing.ts';
import type { Offence } from '../staking/types.ts';

/** Parameters of slashing. */
export interface SlashingParams {
  /** Blocks that are looked back on. */
  readonly signedBlocksWindow: bigint;
  /** Part of them that must be signed, 0 to 1. */
  readonly minSignedPerWindow: Decimal;
  readonly downtimeJailDuration: { readonly seconds: bigint; readonly nanos: number };
  /** Part of the stake that is burned for two votes in one step, 0 to 1. */
  readonly slashFractionDoubleSign: Decimal;
  /** The same for too many missed blocks. */
  readonly slashFractionDowntime: Decimal;
}

/** Why stake was burned, as events say it. */
export type SlashReason = 'double_sign' | 'missing_signature';

/** Reads how validators signed. Addresses are the 20 bytes of consensus keys. */
export interface SlashingView {
  params(context: ReadContext): SlashingParams;
  signingInfo(context: ReadContext, consensusAddress: Uint8Array): ValidatorSigningInfo | undefined;
  /** True when the validator may never sign again. */
  isTombstoned(context: ReadContext, consensusAddress: Uint8Array): boolean;
  /** True for validators that have been created and not removed. */
  hasPublicKey(context: ReadContext, consensusAddress: Uint8Array): boolean;
}

/** Also punishes. */
export interface SlashingKeeper extends SlashingView {
  /** Burns stake as staking does, and says so in an event. */
  slash(context: Context, offence: Offence, reason: SlashReason): void;
  /** Takes a validator that is not jailed out of the set, with an event. */
  jail(context: Context, consensusAddress: Uint8Array): void;
  /** Until then it cannot be unjailed. */
  jailUntil(context: Context, consensusAddress: Uint8Array, time: Timestamp): void;
  /** It can never be unjailed. */
  tombstone(context: Context, consensusAddress: Uint8Array): void;
}
