import type { Decimal } from '../../core/decimal.ts';
import type { Address } from '../../framework/address.ts';
import type { Coins } from '../../framework/coins.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import type { DecCoins } from '../../framework/dec-coins.ts';

/** Parameters of distribution. */
export interface DistributionParams {
  /** Part of all fees and new coins that goes to the community pool, 0 to 1. */
  readonly communityTax: Decimal;
  /** No longer used, zero. */
  readonly baseProposerReward: Decimal;
  /** No longer used, zero. */
  readonly bonusProposerReward: Decimal;
  /** Whether delegators may have their rewards sent elsewhere. */
  readonly withdrawAddrEnabled: boolean;
}

/** What a token of a validator has earned from the validator's beginning to the end of a period. */
export interface HistoricalRewards {
  /** Per token. Slashes are not in it: they change how many tokens count. */
  readonly cumulativeRatio: DecCoins;
  /** Who still needs it: the next period, delegations that began at its end, slashes that ended it. */
  readonly referenceCount: number;
}

/** The period of a validator that is under way. */
export interface CurrentRewards {
  /** What the delegators have earned in it. */
  readonly rewards: DecCoins;
  /** Its number, from 1. */
  readonly period: bigint;
}

/** Where a delegation began, or was changed or withdrawn from last. */
export interface StartingInfo {
  /** The period that ended then. */
  readonly previousPeriod: bigint;
  /** In tokens, rounded down. */
  readonly stake: Decimal;
  readonly height: bigint;
}

/** A slash, which ended a period. */
export interface SlashEvent {
  readonly period: bigint;
  /** Part of the tokens that was taken, 0 to 1. */
  readonly fraction: Decimal;
}

/** Where people have their money sent. */
export interface WithdrawAddresses {
  /** What `MsgSetWithdrawAddress` said last; the owner's own address when nothing was said. */
  withdrawAddress(context: ReadContext, owner: Address): Address;
}

/** Gives to the community pool. */
export interface CommunityPool {
  /** Whose account holds it, together with what validators and delegators are owed. */
  readonly communityPoolAccount: string;
  /** What is in it. */
  communityPool(context: ReadContext): DecCoins;
  /** @throws StateError (sdk 5) when the giver has too little */
  fundCommunityPool(context: Context, gift: { readonly from: Address; readonly coins: Coins }): void;
}
