import type { Address } from '../../framework/address.ts';
import type { Coin, Coins } from '../../framework/coins.ts';
import type { Context, ReadContext } from '../../framework/context.ts';

/** Looks balances up. */
export interface BankView {
  balance(context: ReadContext, address: Address, denom: string): bigint;
  /** All balances of an account, sorted. Its cost grows with the number of denominations. */
  balances(context: ReadContext, address: Address): Coins;
  /** What the account may spend of a denomination: its balance less what is locked. */
  spendable(context: ReadContext, address: Address, denom: string): bigint;
  supply(context: ReadContext, denom: string): bigint;
  /** True for module accounts that users must not send to. */
  isBlocked(address: Address): boolean;
}

/** From one address to another. */
export interface Transfer {
  readonly from: Address;
  readonly to: Address;
  readonly coins: Coins;
}

/**
 * A rule of a chain about transfers. It refuses one by throwing `StateError`, or says whom the coins reach:
 * the recipient as a rule, or another account. It is asked about every transfer of a transaction, also fees
 * and those of modules (SDK `SendRestrictionFn`). Not asked about delegating and undelegating, minting and
 * burning, nor about what goes out by `owed`. At block boundaries it is still asked about transfers among
 * accounts of modules and about rewards, as in the SDK. These it must let pass: what it throws
 * there stops the chain.
 */
export type SendRestriction = (context: ReadContext, transfer: Transfer) => Address;

/**
 * Also moves coins. All of these throw StateError (sdk 5) when there is too little, and change nothing then.
 * What a send restriction throws comes when the coins are taken already, as in the SDK: who catches it drops
 * the branch.
 */
export interface BankTransfer extends BankView {
  /**
   * The same without send restrictions, for what the chain itself owes at the end of a block (bonds, holds
   * and deposits that go back, automatic claims): nobody is there to be told no, and a refusal would stop the
   * chain. So the SDK gives stake back. Not for what a transaction sends.
   */
  readonly owed: BankTransfer;
  send(context: Context, transfer: Transfer): void;
  /** From a user or anyone to a module's account. */
  sendToModule(
    context: Context,
    transfer: { readonly from: Address; readonly module: string; readonly coins: Coins },
  ): void;
  /** From a module's account; refuses blocked recipients (sdk 4). */
  sendFromModule(
    context: Context,
    transfer: { readonly module: string; readonly to: Address; readonly coins: Coins },
  ): void;
  sendBetweenModules(
    context: Context,
    transfer: { readonly from: string; readonly to: string; readonly coins: Coins },
  ): void;
}

/** What MsgSend asks besides whom it may reach: others who move coins between users ask it too. */
export interface SendRules {
  /** @throws StateError (bank 5) when one of the denominations may not be sent now */
  checkSendEnabled(context: ReadContext, coins: Coins): void;
}

/** Also makes and destroys coins, in accounts of modules that have the permission. */
export interface BankKeeper extends BankTransfer {
  readonly owed: BankKeeper;
  mint(context: Context, minted: { readonly module: string; readonly coins: Coins }): void;
  burn(context: Context, burned: { readonly module: string; readonly coins: Coins }): void;
}

/**
 * Also moves coins into and out of pools of staked coins: module accounts with the permission `staking`. An
 * account may delegate coins that it may not send.
 */
export interface BankStaking extends BankKeeper {
  /** @throws StateError (sdk 5) when the account has too little */
  delegate(
    context: Context,
    order: { readonly from: Address; readonly module: string; readonly coins: Coins },
  ): void;
  /** Gives them back; also to accounts that users must not send to. */
  undelegate(
    context: Context,
    order: { readonly module: string; readonly to: Address; readonly coins: Coins },
  ): void;
}

/** An account's coin, as it is walked over. */
export interface HeldCoin extends Coin {
  readonly address: Address;
}
