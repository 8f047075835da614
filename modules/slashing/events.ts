/** Events of slashing: types, attributes and their order as x/slashing has them. */
import { type Event, event } from '../../framework/events.ts';
import type { SlashReason } from './types.ts';

/** A validator did not sign a block. Addresses are those of consensus keys, as text. */
export function missedBlock(address: string, missedBlocks: bigint, height: bigint): Event {
  return event('liveness', {
    address,
    missed_blocks: missedBlocks.toString(),
    height: height.toString(),
  });
}

/** Stake was burned. */
export interface SlashFacts {
  readonly address: string;
  readonly power: bigint;
  readonly reason: SlashReason;
  /** Tokens of the validator itself. */
  readonly burned: bigint;
}

/** Stake was burned, and the validator is jailed, for too many missed blocks. */
export function slashedAndJailed({ address, power, reason, burned }: SlashFacts): Event {
  return event('slash', {
    address,
    power: power.toString(),
    reason,
    jailed: address,
    burned_coins: burned.toString(),
  });
}

/** Stake was burned. */
export function slashed({ address, power, reason, burned }: SlashFacts): Event {
  return event('slash', { address, power: power.toString(), reason, burned_coins: burned.toString() });
}

/** A validator was jailed. */
export function jailed(address: string): Event {
  return event('slash', { jailed: address });
}
