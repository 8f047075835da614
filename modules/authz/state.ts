import type { Address } from '../../framework/address.ts';
import { Schema, type StateMap } from '../../framework/collections.ts';
import type { Timestamp } from '../../framework/context.ts';
import {
  addressKey,
  stringKey,
  timeKey,
  type Triple,
  type TripleKeyCodec,
  tripleKey,
} from '../../framework/keys.ts';
import { Grant, GrantQueueItem } from '../../proto/gen/cosmos/authz/v1beta1/authz.ts';

/** Store of authz. */
export const STORE_NAME = 'authz';

/** Granter, grantee, type of message. */
export const grantKey: TripleKeyCodec<Address, Address, string> = tripleKey(
  addressKey,
  addressKey,
  stringKey,
);

/** Expiration, granter, grantee. */
export type QueueKey = Triple<Timestamp, Address, Address>;

/** Collections of authz, with the SDK's prefixes (x/authz/keeper/keys.go). */
export interface AuthzState {
  readonly grants: StateMap<Triple<Address, Address, string>, Grant>;
  /** Types of messages whose authorizations expire then. No entry is empty. */
  readonly queue: StateMap<QueueKey, GrantQueueItem>;
}

/** Declares the collections. */
export function authzState(): AuthzState {
  const schema = new Schema(STORE_NAME);
  return {
    grants: schema.map({ prefix: Uint8Array.of(1), name: 'grants', key: grantKey, value: Grant }),
    queue: schema.map({
      prefix: Uint8Array.of(2),
      name: 'expirations',
      key: tripleKey(timeKey, addressKey, addressKey),
      value: GrantQueueItem,
    }),
  };
}
