import type { Decimal } from '../../core/decimal.ts';
import type { Address } from '../../framework/address.ts';
import type { Context, ReadContext, Timestamp } from '../../framework/context.ts';
import type { SingleKey } from '../../framework/tx/public-key.ts';

/** Tokens that make one unit of voting power (SDK `DefaultPowerReduction`). */
export const POWER_REDUCTION = 1_000_000n;

/**
 * Whether a validator signs blocks, has stopped and may still be punished for what it did, or is free of
 * that.
 */
export type BondStatus = 'unbonded' | 'unbonding' | 'bonded';

/** What a validator says of itself. */
export interface Description {
  readonly moniker: string;
  readonly identity: string;
  readonly website: string;
  readonly securityContact: string;
  readonly details: string;
}

/** What a validator keeps of its delegators' rewards, and how fast it may raise that. */
export interface CommissionRates {
  readonly rate: Decimal;
  readonly maxRate: Decimal;
  /** Per day. */
  readonly maxChangeRate: Decimal;
}

/** Rates, and when the first of them was changed last. */
export interface Commission extends CommissionRates {
  readonly updateTime: Timestamp;
}

/** A validator. Tokens and shares are related by the exchange rate: a slash takes tokens, never shares. */
export interface Validator {
  /** Account bytes of whoever runs it; its text has the prefix `…valoper`. */
  readonly operator: Address;
  /** What it signs votes with. */
  readonly consensusKey: SingleKey;
  readonly jailed: boolean;
  readonly status: BondStatus;
  /** In base units of the bond denomination. */
  readonly tokens: bigint;
  /** Sum of the shares of all its delegations. */
  readonly shares: Decimal;
  readonly description: Description;
  /** Where it began to unbond last; 0 before. */
  readonly unbondingHeight: bigint;
  /** When that is over; 1970 before. */
  readonly unbondingTime: Timestamp;
  readonly commission: Commission;
  readonly minSelfDelegation: bigint;
  /** Number of the unbonding under way; at most one. */
  readonly unbondingIds: readonly bigint[];
}

/** Who delegates to whom. */
export interface DelegationPair {
  readonly delegator: Address;
  readonly validator: Address;
}

/** An account's part of a validator. */
export interface Delegation extends DelegationPair {
  /** Always positive. */
  readonly shares: Decimal;
}

/** What was taken back at one time. */
export interface UnbondingEntry {
  readonly creationHeight: bigint;
  readonly completionTime: Timestamp;
  readonly initialBalance: bigint;
  /** What is left of it after slashes. */
  readonly balance: bigint;
  readonly unbondingId: bigint;
}

/** What an account takes back from a validator, until it is paid out. */
export interface UnbondingDelegation extends DelegationPair {
  /** At most `maxEntries`, never none. */
  readonly entries: readonly UnbondingEntry[];
}

/** Who moved from where to where. */
export interface RedelegationPath {
  readonly delegator: Address;
  readonly source: Address;
  readonly destination: Address;
}

/** What was moved at one time. */
export interface RedelegationEntry {
  readonly creationHeight: bigint;
  readonly completionTime: Timestamp;
  readonly initialBalance: bigint;
  /** Shares that it made at the destination. */
  readonly sharesDst: Decimal;
  readonly unbondingId: bigint;
}

/** What an account moved between validators and may still be punished for. */
export interface Redelegation extends RedelegationPath {
  /** At most `maxEntries`, never none. */
  readonly entries: readonly RedelegationEntry[];
}

/** Parameters of staking. */
export interface StakingParams {
  readonly unbondingTime: { readonly seconds: bigint; readonly nanos: number };
  readonly maxValidators: number;
  /** Most entries of an unbonding delegation or redelegation. */
  readonly maxEntries: number;
  /** Past headers and validator sets that are kept. */
  readonly historicalEntries: number;
  readonly bondDenom: string;
  readonly minCommissionRate: Decimal;
}

/** A validator with the address of its key. */
export interface ValidatorIdentity {
  readonly operator: Address;
  /** 20 bytes. */
  readonly consensusAddress: Uint8Array;
}

/**
 * Told of what happens to validators and delegations, in the SDK's places and order. Hooks run inside
 * messages and at the end of blocks: they must not throw for anything that a user can cause.
 */
export interface StakingHooks {
  afterValidatorCreated(context: Context, operator: Address): void;
  beforeValidatorModified(context: Context, operator: Address): void;
  afterValidatorRemoved(context: Context, validator: ValidatorIdentity): void;
  afterValidatorBonded(context: Context, validator: ValidatorIdentity): void;
  afterValidatorBeginUnbonding(context: Context, validator: ValidatorIdentity): void;
  beforeDelegationCreated(context: Context, pair: DelegationPair): void;
  beforeDelegationSharesModified(context: Context, pair: DelegationPair): void;
  beforeDelegationRemoved(context: Context, pair: DelegationPair): void;
  afterDelegationModified(context: Context, pair: DelegationPair): void;
  /** The fraction of the validator's tokens that is about to be taken, 0 to 1. */
  beforeValidatorSlashed(context: Context, operator: Address, fraction: Decimal): void;
}

/** Reads validators and delegations. */
export interface StakingView {
  params(context: ReadContext): StakingParams;
  /**
   * True when the validator set of the chain is that of staking, not the fixed one of the genesis document.
   */
  ownsValidatorSet(context: ReadContext): boolean;
  validator(context: ReadContext, operator: Address): Validator | undefined;
  /** All of them, in the order of their operators: for genesis. */
  validators(context: ReadContext): Iterable<Validator>;
  /** By the address of its consensus key. */
  validatorByKey(context: ReadContext, consensusAddress: Uint8Array): Validator | undefined;
  delegation(context: ReadContext, pair: DelegationPair): Delegation | undefined;
  /** Walks over all of them, by delegator and operator: for genesis and invariants. */
  delegations(context: ReadContext): Iterable<Delegation>;
  /** All delegations of an account, in the order of the operators. Grows with what the account did. */
  delegationsOf(context: ReadContext, delegator: Address): Iterable<Delegation>;
  /** Bonded validators, the strongest first; at most `maxValidators`. */
  bondedByPower(context: ReadContext): Iterable<Validator>;
  /** What the shares are worth in tokens. */
  tokensOf(validator: Validator, shares: Decimal): Decimal;
  /** Tokens of all bonded validators. */
  totalBonded(context: ReadContext): bigint;
  /** Part of the supply that is bonded, 0 to 1. */
  bondedRatio(context: ReadContext): Decimal;
  /** Sum of voting powers as of the last block that changed it. */
  lastTotalPower(context: ReadContext): bigint;
}

/** What a validator is punished for. */
export interface Offence {
  readonly consensusAddress: Uint8Array;
  /** Height of the offence: stake that left before is not touched. */
  readonly height: bigint;
  /** Voting power at that height. */
  readonly power: bigint;
  /** Part of the stake of that height that is burned, 0 to 1. */
  readonly fraction: Decimal;
}

/** Also punishes. */
export interface StakingKeeper extends StakingView {
  /**
   * Burns part of the stake that was behind a validator, also where it has moved since.
   * @returns tokens burned of the validator itself; 0 for one that is unknown or no longer punishable
   */
  slash(context: Context, offence: Offence): bigint;
  /** Takes a validator out of the set. False when it was jailed already, or is unknown. */
  jail(context: Context, consensusAddress: Uint8Array): boolean;
  /** Lets it back in. False when it was not jailed, or is unknown. */
  unjail(context: Context, consensusAddress: Uint8Array): boolean;
}
