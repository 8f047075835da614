import type { Address } from '../../framework/address.ts';
import { type Item, Schema, type StateMap } from '../../framework/collections.ts';
import type { DecCoins } from '../../framework/dec-coins.ts';
import {
  addressKey,
  type Pair,
  type PairKeyCodec,
  pairKey,
  type Triple,
  type TripleKeyCodec,
  tripleKey,
  uint64Key,
  uint64LittleEndianKey,
} from '../../framework/keys.ts';
import { bytesValue, memoized, type ValueCodec } from '../../framework/values.ts';
import { BytesValue } from '../../proto/gen/google/protobuf/wrappers.ts';
import type {
  CurrentRewards,
  DistributionParams,
  HistoricalRewards,
  SlashEvent,
  StartingInfo,
} from './types.ts';
import {
  commissionValue,
  currentValue,
  feePoolValue,
  historicalValue,
  outstandingValue,
  paramsValue,
  slashValue,
  startingInfoValue,
} from './wire.ts';

/** Store and module account of distribution. */
export const STORE_NAME = 'distribution';

/** A validator, the number of a period. */
export const historicalKey: PairKeyCodec<Address, bigint> = pairKey(addressKey, uint64LittleEndianKey);

/** A validator, a height, the number of the period that ended there. */
export const slashKey: TripleKeyCodec<Address, bigint, bigint> = tripleKey(addressKey, uint64Key, uint64Key);

/** Collections of distribution, at the SDK's prefixes (x/distribution/types/keys.go). */
export interface DistributionState {
  /** The community pool. */
  readonly feePool: Item<DecCoins>;
  /** Consensus address of whoever proposed the last block. */
  readonly previousProposer: Item<Uint8Array>;
  /** By operator: what has been allocated to it and its delegators and not been paid, commission too. */
  readonly outstanding: StateMap<Address, DecCoins>;
  /** By delegator: where rewards go. */
  readonly withdrawAddresses: StateMap<Address, Address>;
  /** Operator, delegator. */
  readonly startingInfos: StateMap<Pair<Address, Address>, StartingInfo>;
  /** Operator, period. */
  readonly historical: StateMap<Pair<Address, bigint>, HistoricalRewards>;
  /** By operator. */
  readonly current: StateMap<Address, CurrentRewards>;
  /** By operator: commission that has not been withdrawn. */
  readonly commissions: StateMap<Address, DecCoins>;
  /** Operator, height, period. */
  readonly slashes: StateMap<Triple<Address, bigint, bigint>, SlashEvent>;
  readonly params: Item<DistributionParams>;
}

/** Bytes as `google.protobuf.BytesValue`. */
const wrappedBytes: ValueCodec<Uint8Array> = {
  encode: (value) => BytesValue.encode({ value }),
  decode: (bytes) => BytesValue.decode(bytes).value,
};

/** Declares the collections. */
export function distributionState(): DistributionState {
  const schema = new Schema(STORE_NAME);
  const at = (byte: number, name: string): { readonly prefix: Uint8Array; readonly name: string } => ({
    prefix: Uint8Array.of(byte),
    name,
  });
  const one = addressKey;
  return {
    feePool: schema.item({ ...at(0x00, 'fee_pool'), value: feePoolValue }),
    previousProposer: schema.item({ ...at(0x01, 'previous_proposer'), value: wrappedBytes }),
    outstanding: schema.map({ ...at(0x02, 'outstanding_rewards'), key: one, value: outstandingValue }),
    withdrawAddresses: schema.map({ ...at(0x03, 'withdraw_addresses'), key: one, value: bytesValue }),
    startingInfos: schema.map({
      ...at(0x04, 'starting_infos'),
      key: pairKey(addressKey, addressKey),
      value: startingInfoValue,
    }),
    historical: schema.map({
      ...at(0x05, 'historical_rewards'),
      key: historicalKey,
      value: historicalValue,
    }),
    current: schema.map({ ...at(0x06, 'current_rewards'), key: one, value: currentValue }),
    commissions: schema.map({ ...at(0x07, 'accumulated_commissions'), key: one, value: commissionValue }),
    slashes: schema.map({ ...at(0x08, 'slash_events'), key: slashKey, value: slashValue }),
    params: schema.item({ ...at(0x09, 'params'), value: memoized(paramsValue) }),
  };
}
