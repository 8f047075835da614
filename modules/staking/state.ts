import { DecodeError } from '../../core/errors.ts';
import { encodeUvarint, readUvarint } from '../../core/varint.ts';
import type { Address } from '../../framework/address.ts';
import { type Item, type KeySet, Schema, type StateMap } from '../../framework/collections.ts';
import type { Timestamp } from '../../framework/context.ts';
import {
  addressKey,
  bytesKey,
  invertedBytesKey,
  type Pair,
  type PairKeyCodec,
  pairKey,
  sizedTimeKey,
  timeKey,
  type Triple,
  type TripleKeyCodec,
  tripleKey,
  uint64Key,
} from '../../framework/keys.ts';
import { bytesValue, memoized, uint64Value, type ValueCodec } from '../../framework/values.ts';
import { IntProto } from '../../proto/gen/cosmos/base/v1beta1/coin.ts';
import { HistoricalInfo } from '../../proto/gen/cosmos/staking/v1beta1/staking.ts';
import type {
  Delegation,
  DelegationPair,
  Redelegation,
  RedelegationPath,
  StakingParams,
  UnbondingDelegation,
  Validator,
} from './types.ts';
import { paramsValue, type StakingWire } from './wire.ts';

/** Store of staking. */
export const STORE_NAME = 'staking';

/** Two addresses, both behind their lengths. */
export const addressPairKey: PairKeyCodec<Address, Address> = pairKey(addressKey, addressKey);

/** A validator behind its length, then a delegator to the end of the key. */
export const byValidatorKey: PairKeyCodec<Address, Address> = pairKey(addressKey, bytesKey);

/** Three addresses, all behind their lengths. */
export const addressTripleKey: TripleKeyCodec<Address, Address, Address> = tripleKey(
  addressKey,
  addressKey,
  addressKey,
);

/** Collections of staking, at the SDK's prefixes (x/staking/types/keys.go). */
export interface StakingState {
  /** Powers that consensus was told last, by operator. */
  readonly lastPowers: StateMap<Address, bigint>;
  /** Their sum. Missing on a chain whose validators are fixed by its genesis document. */
  readonly lastTotalPower: Item<bigint>;
  readonly validators: StateMap<Address, Validator>;
  /** Operator by consensus address. */
  readonly operators: StateMap<Uint8Array, Address>;
  /** Operators of validators that are not jailed, by power; of equal ones the lower address is stronger. */
  readonly powerIndex: StateMap<Pair<bigint, Address>, Address>;
  /** By delegator, validator. */
  readonly delegations: StateMap<Pair<Address, Address>, Delegation>;
  /** Validator, delegator. */
  readonly delegationIndex: KeySet<Pair<Address, Address>>;
  /** By delegator, validator. */
  readonly unbondings: StateMap<Pair<Address, Address>, UnbondingDelegation>;
  /** Validator, delegator. */
  readonly unbondingIndex: KeySet<Pair<Address, Address>>;
  /** By delegator, source, destination. */
  readonly redelegations: StateMap<Triple<Address, Address, Address>, Redelegation>;
  /** Source, delegator, destination. */
  readonly redelegationsBySource: KeySet<Triple<Address, Address, Address>>;
  /** Destination, delegator, source. */
  readonly redelegationsByDestination: KeySet<Triple<Address, Address, Address>>;
  /** The number given last to something that unbonds. */
  readonly lastUnbondingId: Item<bigint>;
  readonly unbondingQueue: StateMap<Timestamp, readonly DelegationPair[]>;
  readonly redelegationQueue: StateMap<Timestamp, readonly RedelegationPath[]>;
  /** Operators by the time and height of their unbonding. */
  readonly validatorQueue: StateMap<Pair<Timestamp, bigint>, readonly Address[]>;
  /** By height. */
  readonly history: StateMap<bigint, HistoricalInfo>;
  readonly params: Item<StakingParams>;
}

/** A power as `google.protobuf.Int64Value`. */
const powerValue: ValueCodec<bigint> = {
  encode: (power) =>
    power === 0n ? new Uint8Array(0) : Uint8Array.of(8, ...encodeUvarint(BigInt.asUintN(64, power))),
  decode(bytes) {
    if (bytes.length === 0) return 0n;
    if (bytes[0] !== 8) throw new DecodeError('stored power is no Int64Value');
    return BigInt.asIntN(64, readUvarint(bytes, 1).value);
  },
};

/** A sum of powers as `cosmos.base.v1beta1.IntProto`. */
const totalPowerValue: ValueCodec<bigint> = {
  encode: (power) => IntProto.encode({ int: power.toString() }),
  decode: (bytes) => BigInt(IntProto.decode(bytes).int),
};

/** Declares the collections. */
export function stakingState(wire: StakingWire): StakingState {
  const schema = new Schema(STORE_NAME);
  const at = (byte: number, name: string): { readonly prefix: Uint8Array; readonly name: string } => ({
    prefix: Uint8Array.of(byte),
    name,
  });
  const one = addressKey;
  const [pair, triple] = [addressPairKey, addressTripleKey];
  return {
    lastPowers: schema.map({ ...at(0x11, 'last_validator_powers'), key: one, value: powerValue }),
    lastTotalPower: schema.item({ ...at(0x12, 'last_total_power'), value: totalPowerValue }),
    validators: schema.map({ ...at(0x21, 'validators'), key: one, value: wire.validatorValue }),
    operators: schema.map({ ...at(0x22, 'validators_by_key'), key: one, value: bytesValue }),
    powerIndex: schema.map({
      ...at(0x23, 'validators_by_power'),
      key: pairKey(uint64Key, invertedBytesKey),
      value: bytesValue,
    }),
    delegations: schema.map({ ...at(0x31, 'delegations'), key: pair, value: wire.delegationValue }),
    delegationIndex: schema.keySet({ ...at(0x71, 'delegations_by_validator'), key: byValidatorKey }),
    unbondings: schema.map({ ...at(0x32, 'unbonding_delegations'), key: pair, value: wire.unbondingValue }),
    unbondingIndex: schema.keySet({ ...at(0x33, 'unbonding_by_validator'), key: pair }),
    redelegations: schema.map({ ...at(0x34, 'redelegations'), key: triple, value: wire.redelegationValue }),
    redelegationsBySource: schema.keySet({ ...at(0x35, 'redelegations_by_source'), key: triple }),
    redelegationsByDestination: schema.keySet({ ...at(0x36, 'redelegations_by_destination'), key: triple }),
    lastUnbondingId: schema.item({ ...at(0x37, 'unbonding_id'), value: uint64Value }),
    unbondingQueue: schema.map({ ...at(0x41, 'unbonding_queue'), key: timeKey, value: wire.pairsValue }),
    redelegationQueue: schema.map({
      ...at(0x42, 'redelegation_queue'),
      key: timeKey,
      value: wire.pathsValue,
    }),
    validatorQueue: schema.map({
      ...at(0x43, 'validator_queue'),
      key: pairKey(sizedTimeKey, uint64Key),
      value: wire.operatorsValue,
    }),
    history: schema.map({ ...at(0x50, 'historical_info'), key: uint64Key, value: HistoricalInfo }),
    params: schema.item({ ...at(0x51, 'params'), value: memoized(paramsValue) }),
  };
}
