/** What messages carry, checked without state and in the form that the rules work with. */
import { HASH_BYTES } from '../../core/hash.ts';
import type { AddressCodec } from '../../framework/address.ts';
import { isDenom } from '../../framework/coins.ts';
import { type ErrorKind, StateError } from '../../framework/errors.ts';
import { ed25519PublicKey, type SingleKey, secp256k1PublicKey } from '../../framework/tx/public-key.ts';
import type { StatementForm } from '../../framework/tx/statement.ts';
import {
  type ChannelConfig,
  KeyKind,
  ReceiverKind,
  SignatureForm,
  type SigningKey,
  type Voucher,
} from '../../proto/gen/openledger/channels/v1/channels.ts';
import type { ClaimRow } from '../../proto/gen/openledger/channels/v1/tx.ts';
import { channelErrors } from './errors.ts';
import { AMOUNT_END } from './format/encoding.ts';
import { problemOfVoucher, type VoucherContent } from './format/voucher.ts';

/** Bytes of a signature of either kind. */
const SIGNATURE_BYTES = 64;
const AMOUNT = /^(?:0|[1-9][0-9]{0,38})$/;

/** A row of a claim, without contradictions. */
export interface CheckedRow {
  readonly voucher: VoucherContent;
  readonly signature: Uint8Array;
  readonly form: StatementForm;
  /** What shall have been claimed on the lane. */
  readonly total: bigint;
  /** Undefined when no link is shown. */
  readonly link:
    | { readonly root: Uint8Array; readonly preimage: Uint8Array; readonly index: number }
    | undefined;
}

/** An amount in base units, below 2^128. @throws StateError of that kind */
export function readAmount(text: string, what: string, kind: ErrorKind): bigint {
  if (!AMOUNT.test(text)) throw new StateError(kind, `${what} must be a whole number below 2^128`);
  const amount = BigInt(text);
  if (amount >= AMOUNT_END) throw new StateError(kind, `${what} must be below 2^128`);
  return amount;
}

/** @throws StateError (channels 2) when it is of no known kind or length */
export function keyOf({ kind, key }: SigningKey): SingleKey {
  if (kind === KeyKind.KEY_KIND_ED25519 && key.length === 32) return ed25519PublicKey(key);
  if (kind === KeyKind.KEY_KIND_SECP256K1 && key.length === 33) return secp256k1PublicKey(key);
  throw new StateError(
    channelErrors.invalidChannel,
    `a key of kind ${kind} with ${key.length} bytes; give ed25519 with 32 or secp256k1 with 33`,
  );
}

/** @throws StateError (channels 6) when it is neither */
export function formOf(form: SignatureForm): StatementForm {
  switch (form) {
    case SignatureForm.SIGNATURE_FORM_PLAIN:
      return 'plain';
    case SignatureForm.SIGNATURE_FORM_ADR036:
      return 'adr036';
    default:
      throw new StateError(channelErrors.invalidVoucher, `form of signature ${form} is not known`);
  }
}

/** @throws StateError (channels 2, sdk 7) when a part of a configuration could never be good */
export function validateConfig(config: ChannelConfig, addresses: AddressCodec): void {
  const { receiverKind, receiver, denom, salt, payerAuthorizer, receiverAuthorizer } = config;
  if (
    receiverKind !== ReceiverKind.RECEIVER_KIND_ACCOUNT &&
    receiverKind !== ReceiverKind.RECEIVER_KIND_ROUTER
  )
    throw new StateError(channelErrors.invalidChannel, `receiver_kind ${receiverKind} is not known`);
  addresses.toBytes(receiver);
  keyOf(payerAuthorizer);
  keyOf(receiverAuthorizer);
  if (!isDenom(denom)) throw new StateError(channelErrors.invalidChannel, `"${denom}" is no denomination`);
  validateId(salt, 'salt');
}

/** @throws StateError (channels 2) when it has not 32 bytes */
export function validateId(id: Uint8Array, what = 'channel_id'): void {
  if (id.length !== HASH_BYTES)
    throw new StateError(
      channelErrors.invalidChannel,
      `${what} has ${id.length} bytes, must have ${HASH_BYTES}`,
    );
}

/** @throws StateError (channels 6) when it has no canonical form */
function voucherOf(voucher: Voucher): VoucherContent {
  const { channelId, lane, keyVersion, resource, hashChain } = voucher;
  const read = (text: string, what: string): bigint => readAmount(text, what, channelErrors.invalidVoucher);
  const content: VoucherContent = {
    channelId,
    lane,
    keyVersion,
    cumulative: read(voucher.cumulative, 'cumulative'),
    ceiling: read(voucher.ceiling, 'ceiling'),
    resource,
    hashChain: hashChain === undefined ? undefined : { ...hashChain, unit: read(hashChain.unit, 'unit') },
  };
  const problem = problemOfVoucher(content);
  if (problem !== undefined) throw new StateError(channelErrors.invalidVoucher, problem);
  return content;
}

/**
 * Everything about a row that is right or wrong for ever, but for its signature and its link.
 * @throws StateError (channels 6, 9)
 */
export function rowOf(row: ClaimRow): CheckedRow {
  const voucher = voucherOf(row.voucher);
  const form = formOf(row.form);
  if (row.signature.length !== SIGNATURE_BYTES)
    throw new StateError(
      channelErrors.invalidVoucher,
      `a signature has 64 bytes, not ${row.signature.length}`,
    );
  const total = readAmount(row.total, 'total', channelErrors.invalidVoucher);
  const link = linkOf(row, voucher);
  const most = voucher.cumulative + BigInt(link?.index ?? 0) * (voucher.hashChain?.unit ?? 0n);
  if (total > most)
    throw new StateError(
      channelErrors.claimAboveVoucher,
      `total ${total} is above ${most}, what the voucher allows`,
    );
  return { voucher, signature: row.signature, form, total, link };
}

function linkOf({ preimage, preimageIndex }: ClaimRow, { hashChain }: VoucherContent): CheckedRow['link'] {
  if (preimage.length === 0 && preimageIndex === 0) return undefined;
  if (hashChain === undefined)
    throw new StateError(channelErrors.invalidVoucher, 'a preimage, and no hash chain in the voucher');
  if (preimage.length !== HASH_BYTES || preimageIndex === 0 || preimageIndex > hashChain.links)
    throw new StateError(
      channelErrors.invalidVoucher,
      `preimage ${preimageIndex} of ${preimage.length} bytes; the hash chain has ${hashChain.links} links of 32`,
    );
  return { root: hashChain.root, preimage, index: preimageIndex };
}
