/** Genesis transactions in the SDK's JSON shape: each a signed MsgCreateValidator. */
import { sha256 } from '../../core/hash.ts';
import type { AddressCodec } from '../../framework/address.ts';
import type { AnyTypes } from '../../framework/any-types.ts';
import type { JsonObject, JsonReader } from '../../framework/json.ts';
import { type MessageRouter, messageOfType } from '../../framework/message.ts';
import { messageFromJson, messageToJson } from '../../framework/proto-json.ts';
import { type DecodedTx, decodeTx } from '../../framework/tx/decode.ts';
import { MsgCreateValidator } from '../../proto/gen/cosmos/staking/v1beta1/tx.ts';
import { AuthInfo, Tx, TxBody, TxRaw } from '../../proto/gen/cosmos/tx/v1beta1/tx.ts';

/** A genesis transaction, decoded; its signature is checked when it is delivered. */
export interface GenTx {
  /** Where it stands in the document. */
  readonly json: JsonReader;
  readonly tx: DecodedTx;
  readonly message: MsgCreateValidator;
}

/** What reading one needs to know of the chain. */
export interface GenTxPorts {
  readonly addresses: AddressCodec;
  readonly router: MessageRouter;
}

/**
 * Reads a genesis transaction.
 * @throws JsonError naming the path when it is not exactly one valid MsgCreateValidator
 */
export function genTxFromJson(json: JsonReader, ports: GenTxPorts): GenTx {
  const { body, authInfo, signatures } = messageFromJson(Tx, json, ports.router.types);
  if (body === undefined) return json.member('body').fail('is missing');
  if (authInfo === undefined) return json.member('auth_info').fail('is missing');
  const bytes = TxRaw.encode({
    bodyBytes: TxBody.encode(body),
    authInfoBytes: AuthInfo.encode(authInfo),
    signatures,
  });
  const tx = json.attempt(() => decodeTx(bytes, sha256(bytes), ports));
  const messages = json.member('body').member('messages');
  const [only] = tx.messages;
  if (only === undefined || tx.messages.length !== 1)
    return messages.fail(`has ${tx.messages.length} messages, a genesis transaction has one`);
  const message = messageOfType(only, MsgCreateValidator);
  if (message === undefined) return messages.fail(`holds ${only.typeUrl}, not ${MsgCreateValidator.typeUrl}`);
  messages.attempt(() => only.validate());
  return { json, tx, message };
}

/** Fields of a body that SDK v0.50 does not know, and does not read where they are named. */
const NEWER_FIELDS: readonly string[] = ['unordered', 'timeout_timestamp'];

/**
 * The JSON form of an encoded transaction (TxRaw), as SDK v0.50 writes and reads it.
 * @throws DecodeError when the bytes are none
 */
export function genTxToJson(bytes: Uint8Array, types: AnyTypes): JsonObject {
  const { bodyBytes, authInfoBytes, signatures } = TxRaw.decode(bytes);
  const tx = { body: TxBody.decode(bodyBytes), authInfo: AuthInfo.decode(authInfoBytes), signatures };
  const { body, ...rest } = messageToJson(Tx, tx, types);
  const known = Object.entries(body ?? {}).filter(([name]) => !NEWER_FIELDS.includes(name));
  return { body: Object.fromEntries(known), ...rest };
}
