import type { Address, AddressCodec } from '../../framework/address.ts';
import { type Item, type KeySet, Schema, type Sequence, type StateMap } from '../../framework/collections.ts';
import { IndexedMap, MultiIndex, UniqueIndex } from '../../framework/indexed-map.ts';
import {
  bytesKey,
  int64Key,
  type Pair,
  type PairKeyCodec,
  pairKey,
  stringKey,
  type Triple,
  tripleKey,
  uint64Key,
} from '../../framework/keys.ts';
import { memoized } from '../../framework/values.ts';
import { SpentNonce } from '../../proto/gen/openledger/payments/v1/authorization.ts';
import { Escrow, Hold, Params, Receipt, Totals } from '../../proto/gen/openledger/payments/v1/payments.ts';

/** Store of payments, and the name of its module account. */
export const STORE_NAME = 'payments';

/** Key of the index of receipts that paid a contributor: address, receipt. */
export const contributorReceiptKey: PairKeyCodec<Address, bigint> = pairKey(bytesKey, uint64Key);

/** Collections of payments; the README tabulates them. */
export interface PaymentState {
  readonly params: Item<Params>;
  readonly sequence: Sequence;
  readonly receipts: IndexedMap<bigint, Receipt>;
  readonly byPayer: MultiIndex<Address, bigint, Receipt>;
  /** The one receipt of a payer for a request. */
  readonly byRequest: UniqueIndex<Pair<Address, Uint8Array>, bigint, Receipt>;
  readonly byContributor: KeySet<Pair<Address, bigint>>;
  /** By claim. */
  readonly escrows: StateMap<bigint, Escrow>;
  /** By denomination. */
  readonly totals: StateMap<string, Totals>;
  /** By account and nonce. */
  readonly nonces: StateMap<Pair<Address, Uint8Array>, SpentNonce>;
  /** Second after which a nonce is forgotten, account, nonce. */
  readonly nonceExpiries: KeySet<Triple<bigint, Address, Uint8Array>>;
  readonly holdSequence: Sequence;
  readonly holds: IndexedMap<bigint, Hold>;
  readonly holdsByPayer: MultiIndex<Address, bigint, Hold>;
  readonly holdsByPayee: MultiIndex<Address, bigint, Hold>;
  /** The one hold of a payer for a request. */
  readonly holdByRequest: UniqueIndex<Pair<Address, Uint8Array>, bigint, Hold>;
  /** Second of expiry, hold. */
  readonly holdExpiries: KeySet<Pair<bigint, bigint>>;
}

/** Declares the collections. */
export function paymentState(addresses: AddressCodec): PaymentState {
  const schema = new Schema(STORE_NAME);
  const byPayer = new MultiIndex<Address, bigint, Receipt>(schema, {
    prefix: Uint8Array.of(3),
    name: 'receipts_by_payer',
    indexKey: bytesKey,
    primaryKey: uint64Key,
    of: (_, receipt) => addresses.toBytes(receipt.payer),
  });
  const byRequest = new UniqueIndex<Pair<Address, Uint8Array>, bigint, Receipt>(schema, {
    prefix: Uint8Array.of(4),
    name: 'receipt_by_request',
    indexKey: pairKey(bytesKey, bytesKey),
    primaryKey: uint64Key,
    of: (_, receipt) => [addresses.toBytes(receipt.payer), receipt.requestHash],
  });
  return {
    params: schema.item({ prefix: Uint8Array.of(0), name: 'params', value: memoized(Params) }),
    sequence: schema.sequence({ prefix: Uint8Array.of(1), name: 'sequence' }),
    receipts: new IndexedMap(schema, {
      prefix: Uint8Array.of(2),
      name: 'receipts',
      key: uint64Key,
      value: Receipt,
      indexes: [byPayer, byRequest],
    }),
    byPayer,
    byRequest,
    byContributor: schema.keySet({
      prefix: Uint8Array.of(5),
      name: 'receipts_by_contributor',
      key: contributorReceiptKey,
    }),
    escrows: schema.map({ prefix: Uint8Array.of(8), name: 'escrows', key: uint64Key, value: Escrow }),
    totals: schema.map({ prefix: Uint8Array.of(7), name: 'totals', key: stringKey, value: Totals }),
    nonces: schema.map({
      prefix: Uint8Array.of(9),
      name: 'nonces',
      key: pairKey(bytesKey, bytesKey),
      value: SpentNonce,
    }),
    nonceExpiries: schema.keySet({
      prefix: Uint8Array.of(10),
      name: 'nonce_expiries',
      key: tripleKey(int64Key, bytesKey, bytesKey),
    }),
    ...holdState(schema, addresses),
  };
}

type HoldState = Pick<
  PaymentState,
  'holdSequence' | 'holds' | 'holdsByPayer' | 'holdsByPayee' | 'holdByRequest' | 'holdExpiries'
>;

function holdState(schema: Schema, addresses: AddressCodec): HoldState {
  const keys = { indexKey: bytesKey, primaryKey: uint64Key };
  const holdsByPayer = new MultiIndex<Address, bigint, Hold>(schema, {
    ...keys,
    prefix: Uint8Array.of(13),
    name: 'holds_by_payer',
    of: (_, hold) => addresses.toBytes(hold.payer),
  });
  const holdsByPayee = new MultiIndex<Address, bigint, Hold>(schema, {
    ...keys,
    prefix: Uint8Array.of(14),
    name: 'holds_by_payee',
    of: (_, hold) => addresses.toBytes(hold.payee),
  });
  const holdByRequest = new UniqueIndex<Pair<Address, Uint8Array>, bigint, Hold>(schema, {
    prefix: Uint8Array.of(15),
    name: 'hold_by_request',
    indexKey: pairKey(bytesKey, bytesKey),
    primaryKey: uint64Key,
    of: (_, hold) => [addresses.toBytes(hold.payer), hold.requestHash],
  });
  return {
    holdSequence: schema.sequence({ prefix: Uint8Array.of(11), name: 'hold_sequence' }),
    holds: new IndexedMap(schema, {
      prefix: Uint8Array.of(12),
      name: 'holds',
      key: uint64Key,
      value: Hold,
      indexes: [holdsByPayer, holdsByPayee, holdByRequest],
    }),
    holdsByPayer,
    holdsByPayee,
    holdByRequest,
    holdExpiries: schema.keySet({
      prefix: Uint8Array.of(16),
      name: 'hold_expiries',
      key: pairKey(int64Key, uint64Key),
    }),
  };
}
