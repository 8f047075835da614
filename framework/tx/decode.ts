/**
 * Transactions from bytes. Strict as the SDK's decoder (x/auth/tx/decoder.go): ADR-027 form of TxRaw,
 * unknown fields refused (in the body only critical ones), each message decoded and bound to its handler
 * once.
 */
import { EMPTY_BYTES } from '../../core/bytes.ts';
import { DecodeError } from '../../core/errors.ts';
import { readUvarint, uvarintLength } from '../../core/varint.ts';
import type { MessageType, UnknownFields } from '../../proto/codec/message.ts';
import { AuthInfo, type Fee, type SignerInfo, TxBody, TxRaw } from '../../proto/gen/cosmos/tx/v1beta1/tx.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import { type Address, type AddressCodec, latin1 } from '../address.ts';
import { type Coin, parseAmount } from '../coins.ts';
import type { Timestamp } from '../context.ts';
import { StateError, sdkErrors } from '../errors.ts';
import { type AnyTypes, checkTimestamp } from '../any-types.ts';
import { ELEMENTS_MAX } from '../limits.ts';
import type { BoundMessage, MessageRouter } from '../message.ts';
import { type SignatureData, signatureDataOf } from './multisig.ts';
import { type PublicKey, publicKeyOf } from './public-key.ts';

/** Most messages in a transaction. */
export const TX_MESSAGES_MAX = 1000;

/** Who signed, how, and with which sequence. */
export interface TxSigner extends SignatureData {
  /** Undefined when the account's stored key is meant. */
  readonly pubKey: PublicKey | undefined;
  readonly sequence: bigint;
}

/** A fee as it was offered: coins are not yet checked for order and sign. */
export interface TxFee {
  readonly coins: readonly Coin[];
  readonly gasLimit: bigint;
  /** Who pays: named, or the first signer. */
  readonly payer: Address;
  readonly granter: Address | undefined;
  /** Both as they stand in the transaction: empty when not named. */
  readonly payerText: string;
  readonly granterText: string;
  /** The text of who pays, for logs. */
  payerName(): string;
}

/** A transaction, decoded and bound to its handlers. */
export interface DecodedTx {
  readonly bytes: Uint8Array;
  /** SHA-256 of the bytes: the transaction's name. */
  readonly hash: Uint8Array;
  readonly bodyBytes: Uint8Array;
  readonly authInfoBytes: Uint8Array;
  readonly messages: readonly BoundMessage[];
  /** What an `Any` in them may hold; each has been looked at. */
  readonly types: AnyTypes;
  /** Addresses that must sign, in order, without duplicates; the fee payer last unless it is among them. */
  readonly required: readonly Address[];
  /** The signatures given, in order. */
  readonly signers: readonly TxSigner[];
  readonly signatureCount: number;
  readonly fee: TxFee;
  readonly memo: string;
  readonly timeoutHeight: bigint;
  /** The last moment of a block that may have it; undefined for any. */
  readonly timeoutTimestamp: Timestamp | undefined;
  /** Its signers' sequences do not count: its timeout is what makes it unique. */
  readonly unordered: boolean;
  readonly extensionOptions: readonly Any[];
  /** What its signers signed, once `signBytes` has made it. */
  readonly signBytesMemo: SignBytesMemo;
}

/** What was signed, by signer, the one asked for last first: a list, since there is nearly always one. */
export interface SignBytesMemo {
  last: SignedBytes | undefined;
}

/** What one signer signed. */
export interface SignedBytes {
  readonly mode: number;
  readonly chainId: string;
  readonly accountNumber: bigint;
  readonly sequence: bigint;
  readonly bytes: Uint8Array;
  readonly before: SignedBytes | undefined;
}

/** What decoding needs to know of the chain. */
export interface TxDecoderPorts {
  readonly router: MessageRouter;
  readonly addresses: AddressCodec;
}

/**
 * Decodes a transaction. Its parts are views of the bytes, which must not change.
 * @param hash SHA-256 of the bytes
 * @throws StateError (sdk 2) when it is malformed, (sdk 7, 8) when an address or key in it is
 */
export function decodeTx(bytes: Uint8Array, hash: Uint8Array, ports: TxDecoderPorts): DecodedTx {
  const { raw, body, authInfo } = decodeTxParts(bytes);
  const { fee } = authInfo;
  if (body.messages.length === 0)
    throw new StateError(sdkErrors.invalidRequest, 'must contain at least one message');
  if (body.messages.length > TX_MESSAGES_MAX)
    throw new StateError(sdkErrors.txDecode, `more than ${TX_MESSAGES_MAX} messages`);
  if (fee === undefined) throw new StateError(sdkErrors.invalidRequest, 'missing fee');
  const { types } = ports.router;
  if (body.timeoutTimestamp !== undefined) checkTimestamp(body.timeoutTimestamp, 'timeout_timestamp');
  const messages = body.messages.map(({ typeUrl, value }) => {
    const message = ports.router.require(typeUrl).bind(value, ports.addresses);
    types.check(message.route.type, message.value);
    return message;
  });
  const payer = fee.payer === '' ? undefined : ports.addresses.toBytes(fee.payer);
  const required = requiredSigners(messages, payer);
  const [first] = required;
  if (first === undefined) throw new StateError(sdkErrors.txDecode, 'transaction has no signers');
  return {
    bytes,
    hash,
    bodyBytes: raw.bodyBytes,
    authInfoBytes: raw.authInfoBytes,
    messages,
    types,
    required,
    signers: authInfo.signerInfos.map((info, i) => signerOf(info, raw.signatures[i])),
    signatureCount: raw.signatures.length,
    fee: feeOf(fee, payer ?? first, ports.addresses),
    memo: body.memo,
    timeoutHeight: body.timeoutHeight,
    timeoutTimestamp: body.timeoutTimestamp,
    unordered: body.unordered,
    extensionOptions: body.extensionOptions,
    signBytesMemo: { last: undefined },
  };
}

/** The parts of a transaction, before anything is known of its messages. */
export interface TxParts {
  readonly raw: TxRaw;
  readonly body: TxBody;
  readonly authInfo: AuthInfo;
}

/** Decodes the frame of a transaction, views of its bytes. @throws StateError (sdk 2) when it is malformed */
export function decodeTxParts(bytes: Uint8Array): TxParts {
  checkTxRawForm(bytes);
  const raw = decodePart(TxRaw, bytes, 'reject');
  const body = decodePart(TxBody, raw.bodyBytes, 'reject-critical');
  const authInfo = decodePart(AuthInfo, raw.authInfoBytes, 'reject');
  return { raw, body, authInfo };
}

function decodePart<T>(type: MessageType<T>, bytes: Uint8Array, unknown: UnknownFields): T {
  try {
    return type.decode(bytes, { unknown, elementsMax: ELEMENTS_MAX, views: true });
  } catch (error) {
    if (error instanceof DecodeError) throw new StateError(sdkErrors.txDecode, error.message);
    throw error;
  }
}

function requiredSigners(messages: readonly BoundMessage[], payer: Address | undefined): readonly Address[] {
  const [only] = messages;
  if (messages.length === 1 && only !== undefined && payer === undefined) return only.signers;
  const unique = new Map<string, Address>();
  const all = messages.flatMap((message) => message.signers);
  for (const address of payer === undefined ? all : [...all, payer])
    if (!unique.has(latin1(address))) unique.set(latin1(address), address);
  return [...unique.values()];
}

function signerOf(info: SignerInfo, signature: Uint8Array = EMPTY_BYTES): TxSigner {
  return {
    pubKey: info.publicKey === undefined ? undefined : publicKeyOf(info.publicKey),
    sequence: info.sequence,
    ...signatureDataOf(info.modeInfo, signature),
  };
}

function feeOf(fee: Fee, payer: Address, addresses: AddressCodec): TxFee {
  try {
    return {
      coins: fee.amount.map(({ denom, amount }) => ({ denom, amount: parseAmount(amount) })),
      gasLimit: fee.gasLimit,
      payer,
      granter: fee.granter === '' ? undefined : addresses.toBytes(fee.granter),
      payerText: fee.payer,
      granterText: fee.granter,
      payerName: () => (fee.payer === '' ? addresses.toText(payer) : fee.payer),
    };
  } catch (error) {
    if (error instanceof StateError && error.kind === sdkErrors.invalidCoins)
      throw new StateError(sdkErrors.txDecode, error.message);
    throw error;
  }
}

/**
 * ADR-027 for TxRaw: fields in ascending order, only length-delimited ones, lengths in their shortest form.
 * Two different byte strings must not be the same transaction.
 */
function checkTxRawForm(bytes: Uint8Array): void {
  let previous: number | bigint = 0;
  let offset = 0;
  try {
    while (offset < bytes.length) {
      const next = afterShortField(bytes, offset);
      const shortNumber = (bytes[offset] ?? 0) >> 3;
      if (next > 0 && shortNumber >= previous) {
        previous = shortNumber;
        offset = next;
        continue;
      }
      const tag = readUvarint(bytes, offset);
      const number = tag.value >> 3n;
      if ((tag.value & 7n) !== 2n) throw malformed(`expected 2 wire type, got ${tag.value & 7n}`);
      if (tag.next - offset !== uvarintLength(Number(tag.value)))
        throw malformed('tag is not as short as possible');
      if (number < previous)
        throw malformed(`txRaw must follow ADR-027, got tagNum ${number} after tagNum ${previous}`);
      previous = number;
      const length = readUvarint(bytes, tag.next);
      if (length.next - tag.next !== uvarintLength(Number(length.value)))
        throw malformed(`length prefix varint for tagNum ${number} is not as short as possible`);
      offset = length.next + Number(length.value);
    }
  } catch (error) {
    if (error instanceof DecodeError) throw malformed(error.message);
    throw error;
  }
  if (offset !== bytes.length) throw malformed('transaction is cut short');
}

/**
 * The end of a length-delimited field whose number takes one byte and whose length at most three, all in
 * their shortest form, found without bigints: nearly every field is one. 0 for any other.
 */
function afterShortField(bytes: Uint8Array, offset: number): number {
  const tag = bytes[offset] ?? 0;
  if (tag >= 128 || (tag & 7) !== 2) return 0;
  const a = bytes[offset + 1] ?? 128;
  const b = bytes[offset + 2] ?? 128;
  const c = bytes[offset + 3] ?? 128;
  if (a < 128) return offset + 2 + a;
  if (b < 128) return b === 0 ? 0 : offset + 3 + (a & 127) + b * 128;
  return c === 0 || c >= 128 ? 0 : offset + 4 + (a & 127) + (b & 127) * 128 + c * 16_384;
}

function malformed(problem: string): StateError {
  return new StateError(sdkErrors.txDecode, problem);
}
