import type { Address } from '../../framework/address.ts';
import { type KeySet, Schema, type StateMap } from '../../framework/collections.ts';
import {
  addressKey,
  type Pair,
  type PairKeyCodec,
  pairKey,
  timeKey,
  type Triple,
  tripleKey,
} from '../../framework/keys.ts';
import type { Timestamp } from '../../framework/context.ts';
import { Grant } from '../../proto/gen/cosmos/feegrant/v1beta1/feegrant.ts';

/** Store of feegrant. */
export const STORE_NAME = 'feegrant';

/** Grantee, granter. */
export type GrantKey = Pair<Address, Address>;

/** Key of a grant: grantee first, so that all of one grantee's lie together. */
export const grantKey: PairKeyCodec<Address, Address> = pairKey(addressKey, addressKey);

/** Collections of feegrant, with the SDK's prefixes (x/feegrant/key.go, v0.1). */
export interface FeegrantState {
  readonly grants: StateMap<GrantKey, Grant>;
  /** Expiration, grantee, granter: one for each grant that expires, and no other. */
  readonly queue: KeySet<Triple<Timestamp, Address, Address>>;
}

/** Declares the collections. */
export function feegrantState(): FeegrantState {
  const schema = new Schema(STORE_NAME);
  return {
    grants: schema.map({ prefix: Uint8Array.of(0), name: 'grants', key: grantKey, value: Grant }),
    queue: schema.keySet({
      prefix: Uint8Array.of(1),
      name: 'expirations',
      key: tripleKey(timeKey, addressKey, addressKey),
    }),
  };
}
