/** Validators, delegations and their kin as protobuf messages: in state, in queries. */
import { Decimal } from '../../core/decimal.ts';
import { DecodeError } from '../../core/errors.ts';
import { formatInstant } from '../../core/time.ts';
import type { Timestamp } from '../../framework/context.ts';
import { singleKeyOf } from '../../framework/tx/public-key.ts';
import type { ValueCodec } from '../../framework/values.ts';
import type { MessageType } from '../../proto/codec/message.ts';
import * as wire from '../../proto/gen/cosmos/staking/v1beta1/staking.ts';
import type { StakingAddresses } from './ports.ts';
import type {
  BondStatus,
  Delegation,
  DelegationPair,
  Redelegation,
  RedelegationPath,
  StakingParams,
  UnbondingDelegation,
  Validator,
} from './types.ts';

const STATUS_NUMBERS: Readonly<Record<BondStatus, number>> = {
  unbonded: wire.BondStatus.BOND_STATUS_UNBONDED,
  unbonding: wire.BondStatus.BOND_STATUS_UNBONDING,
  bonded: wire.BondStatus.BOND_STATUS_BONDED,
};

const STATUS_NAMES: Readonly<Record<BondStatus, string>> = {
  unbonded: 'BOND_STATUS_UNBONDED',
  unbonding: 'BOND_STATUS_UNBONDING',
  bonded: 'BOND_STATUS_BONDED',
};

const STATUSES: readonly BondStatus[] = ['unbonded', 'unbonding', 'bonded'];

/** `BOND_STATUS_BONDED`, as JSON and queries name it. */
export function statusName(status: BondStatus): string {
  return STATUS_NAMES[status];
}

/** The status of that name; undefined when there is none. */
export function statusOfName(name: string): BondStatus | undefined {
  return STATUSES.find((status) => STATUS_NAMES[status] === name);
}

function statusOfNumber(number: number): BondStatus {
  const found = STATUSES.find((status) => STATUS_NUMBERS[status] === number);
  if (found === undefined) throw new DecodeError(`stored validator has status ${number}`);
  return found;
}

/** A moment as `time.RFC3339` writes it: without fraction. */
export function formatSecond({ seconds }: Timestamp): string {
  return formatInstant({ seconds, nanos: 0 });
}

/** Conversions in both directions. */
export interface StakingWire {
  validator(validator: Validator): wire.Validator;
  delegation(delegation: Delegation): wire.Delegation;
  unbonding(unbonding: UnbondingDelegation): wire.UnbondingDelegation;
  redelegation(redelegation: Redelegation): wire.Redelegation;
  readonly validatorValue: ValueCodec<Validator>;
  readonly delegationValue: ValueCodec<Delegation>;
  readonly unbondingValue: ValueCodec<UnbondingDelegation>;
  readonly redelegationValue: ValueCodec<Redelegation>;
  readonly pairsValue: ValueCodec<readonly DelegationPair[]>;
  readonly pathsValue: ValueCodec<readonly RedelegationPath[]>;
  /** Operators of validators. */
  readonly operatorsValue: ValueCodec<readonly Uint8Array[]>;
}

/** Conversions under the chain's prefixes. */
export function stakingWire(addresses: StakingAddresses): StakingWire {
  const { accounts, validators } = addresses;
  const toValidator = (validator: Validator): wire.Validator => validatorToWire(validator, addresses);
  const toDelegation = (delegation: Delegation): wire.Delegation => ({
    ...pairToWire(delegation, addresses),
    shares: delegation.shares.toWire(),
  });
  const toUnbonding = (unbonding: UnbondingDelegation): wire.UnbondingDelegation =>
    unbondingToWire(unbonding, addresses);
  const toRedelegation = (redelegation: Redelegation): wire.Redelegation =>
    redelegationToWire(redelegation, addresses);
  const pairOf = (held: wire.DVPair): DelegationPair => ({
    delegator: accounts.toBytes(held.delegatorAddress),
    validator: validators.toBytes(held.validatorAddress),
  });
  return {
    validator: toValidator,
    delegation: toDelegation,
    unbonding: toUnbonding,
    redelegation: toRedelegation,
    validatorValue: codecOf(wire.Validator, toValidator, (held) => validatorOf(held, addresses)),
    delegationValue: codecOf(wire.Delegation, toDelegation, (held) => ({
      ...pairOf(held),
      shares: Decimal.ofWire(held.shares),
    })),
    unbondingValue: codecOf(wire.UnbondingDelegation, toUnbonding, (held) => ({
      ...pairOf(held),
      entries: held.entries.map((entry) => ({
        ...entry,
        initialBalance: BigInt(entry.initialBalance),
        balance: BigInt(entry.balance),
      })),
    })),
    redelegationValue: codecOf(wire.Redelegation, toRedelegation, (held) => ({
      ...pathOf(held, addresses),
      entries: held.entries.map((entry) => ({
        ...entry,
        initialBalance: BigInt(entry.initialBalance),
        sharesDst: Decimal.ofWire(entry.sharesDst),
      })),
    })),
    pairsValue: codecOf(
      wire.DVPairs,
      (pairs) => ({ pairs: pairs.map((pair) => pairToWire(pair, addresses)) }),
      (held) => held.pairs.map(pairOf),
    ),
    pathsValue: codecOf(
      wire.DVVTriplets,
      (paths) => ({ triplets: paths.map((path) => pathToWire(path, addresses)) }),
      (held) => held.triplets.map((path) => pathOf(path, addresses)),
    ),
    operatorsValue: codecOf(
      wire.ValAddresses,
      (operators) => ({ addresses: operators.map((operator) => validators.toText(operator)) }),
      (held) => held.addresses.map((text) => validators.toBytes(text)),
    ),
  };
}

function codecOf<V, W>(type: MessageType<W>, to: (value: V) => W, from: (held: W) => V): ValueCodec<V> {
  return {
    encode: (value) => type.encode(to(value)),
    decode: (bytes) => from(type.decode(bytes)),
  };
}

function pairToWire({ delegator, validator }: DelegationPair, addresses: StakingAddresses): wire.DVPair {
  return {
    delegatorAddress: addresses.accounts.toText(delegator),
    validatorAddress: addresses.validators.toText(validator),
  };
}

function pathToWire(path: RedelegationPath, { accounts, validators }: StakingAddresses): wire.DVVTriplet {
  return {
    delegatorAddress: accounts.toText(path.delegator),
    validatorSrcAddress: validators.toText(path.source),
    validatorDstAddress: validators.toText(path.destination),
  };
}

function pathOf(held: wire.DVVTriplet, { accounts, validators }: StakingAddresses): RedelegationPath {
  return {
    delegator: accounts.toBytes(held.delegatorAddress),
    source: validators.toBytes(held.validatorSrcAddress),
    destination: validators.toBytes(held.validatorDstAddress),
  };
}

function unbondingToWire(
  unbonding: UnbondingDelegation,
  addresses: StakingAddresses,
): wire.UnbondingDelegation {
  return {
    ...pairToWire(unbonding, addresses),
    entries: unbonding.entries.map((entry) => ({
      ...entry,
      initialBalance: entry.initialBalance.toString(),
      balance: entry.balance.toString(),
      unbondingOnHoldRefCount: 0n,
    })),
  };
}

function redelegationToWire(redelegation: Redelegation, addresses: StakingAddresses): wire.Redelegation {
  return {
    ...pathToWire(redelegation, addresses),
    entries: redelegation.entries.map((entry) => ({
      ...entry,
      initialBalance: entry.initialBalance.toString(),
      sharesDst: entry.sharesDst.toWire(),
      unbondingOnHoldRefCount: 0n,
    })),
  };
}

function validatorToWire(validator: Validator, { validators }: StakingAddresses): wire.Validator {
  const { commission } = validator;
  return {
    operatorAddress: validators.toText(validator.operator),
    consensusPubkey: validator.consensusKey.any,
    jailed: validator.jailed,
    status: STATUS_NUMBERS[validator.status],
    tokens: validator.tokens.toString(),
    delegatorShares: validator.shares.toWire(),
    description: validator.description,
    unbondingHeight: validator.unbondingHeight,
    unbondingTime: validator.unbondingTime,
    commission: {
      commissionRates: {
        rate: commission.rate.toWire(),
        maxRate: commission.maxRate.toWire(),
        maxChangeRate: commission.maxChangeRate.toWire(),
      },
      updateTime: commission.updateTime,
    },
    minSelfDelegation: validator.minSelfDelegation.toString(),
    unbondingOnHoldRefCount: 0n,
    unbondingIds: validator.unbondingIds,
  };
}

function validatorOf(held: wire.Validator, { validators }: StakingAddresses): Validator {
  if (held.consensusPubkey === undefined) throw new DecodeError('stored validator has no consensus key');
  const { commissionRates, updateTime } = held.commission;
  return {
    operator: validators.toBytes(held.operatorAddress),
    consensusKey: singleKeyOf(held.consensusPubkey),
    jailed: held.jailed,
    status: statusOfNumber(held.status),
    tokens: BigInt(held.tokens),
    shares: Decimal.ofWire(held.delegatorShares),
    description: held.description,
    unbondingHeight: held.unbondingHeight,
    unbondingTime: held.unbondingTime,
    commission: {
      rate: Decimal.ofWire(commissionRates.rate),
      maxRate: Decimal.ofWire(commissionRates.maxRate),
      maxChangeRate: Decimal.ofWire(commissionRates.maxChangeRate),
      updateTime,
    },
    minSelfDelegation: BigInt(held.minSelfDelegation),
    unbondingIds: held.unbondingIds,
  };
}

/** Parameters as the message has them. */
export function paramsToWire(params: StakingParams): wire.Params {
  return { ...params, minCommissionRate: params.minCommissionRate.toWire() };
}

/** @throws LedgerError `decimal.text` when the rate is no decimal */
export function paramsOfWire(held: wire.Params): StakingParams {
  return { ...held, minCommissionRate: Decimal.ofWire(held.minCommissionRate) };
}

/** Codec of the parameters. */
export const paramsValue: ValueCodec<StakingParams> = codecOf(wire.Params, paramsToWire, paramsOfWire);
