/**
 * Amino JSON: what SIGN_MODE_LEGACY_AMINO_JSON signs, for hardware wallets and those that cannot sign
 * protobuf. Names as in the .proto file, 64-bit numbers as text, bytes in base64, enumerations as numbers,
 * defaults left out unless the field says `amino.dont_omitempty`. Source: cosmossdk.io/x/tx v0.13,
 * `signing/aminojson`.
 *
 * Not here: `Any` inside messages, oneofs and floating point. Such a message cannot be signed in this mode.
 */
import { toBase64, utf8 } from '../../core/bytes.ts';
import { formatInstant } from '../../core/time.ts';
import type { Field } from '../../proto/codec/field.ts';
import type { MessageType } from '../../proto/codec/message.ts';
import { TxBody } from '../../proto/gen/cosmos/tx/v1beta1/tx.ts';
import { StateError, sdkErrors } from '../errors.ts';
import { canonicalJson, type JsonObject, type JsonValue } from '../json.ts';
import type { DecodedTx } from './decode.ts';
import type { SignerData } from './signature.ts';

type Properties = Readonly<Record<string, unknown>>;

/** Digits behind the point of the SDK's decimals. */
const DECIMAL_DIGITS = 18;

/**
 * Sign bytes of the JSON mode.
 * @throws StateError (sdk 37) when the transaction has something that the mode cannot say
 */
export function aminoSignBytes(tx: DecodedTx, signer: SignerData): Uint8Array {
  const { fee } = tx;
  if (tx.extensionOptions.length > 0) throw unsupported('protobuf extension options');
  // In this mode nothing may be signed that the JSON does not show.
  const body = TxBody.decode(tx.bodyBytes, { unknown: 'reject' });
  if (body.nonCriticalExtensionOptions.length > 0) throw unsupported('protobuf extension options');
  const parties = {
    ...(fee.payerText === '' ? {} : { payer: fee.payerText }),
    ...(fee.granterText === '' ? {} : { granter: fee.granterText }),
  };
  const document: JsonObject = {
    account_number: signer.accountNumber.toString(),
    chain_id: signer.chainId,
    fee: {
      amount: fee.coins.map(({ denom, amount }) => ({ denom, amount: amount.toString() })),
      gas: fee.gasLimit.toString(),
      ...parties,
    },
    memo: tx.memo,
    msgs: tx.messages.map(({ route, value }) => ({
      type: route.aminoName ?? route.typeUrl,
      value: messageToAmino(route.type, value),
    })),
    sequence: signer.sequence.toString(),
    ...(tx.timeoutHeight === 0n ? {} : { timeout_height: tx.timeoutHeight.toString() }),
  };
  return utf8(canonicalJson(document));
}

/** Amino JSON of a message. */
export function messageToAmino<T>(type: MessageType<T>, message: T): JsonValue {
  const properties = message as Properties;
  switch (type.name) {
    case 'google.protobuf.Any':
      throw unsupported('a message inside a message');
    case 'google.protobuf.Timestamp':
      return formatInstant(instantOf(properties));
    case 'google.protobuf.Duration': {
      const { seconds, nanos } = instantOf(properties);
      return (seconds * 1_000_000_000n + BigInt(nanos)).toString();
    }
    default:
      return Object.fromEntries(type.fields.flatMap((field) => memberOf(field, properties[field.name])));
  }
}

function instantOf(properties: Properties): { readonly seconds: bigint; readonly nanos: number } {
  return { seconds: properties['seconds'] as bigint, nanos: properties['nanos'] as number };
}

function memberOf(field: Field, value: unknown): readonly (readonly [string, JsonValue])[] {
  if (value === undefined || (!keepsDefault(field) && isDefault(field, value))) return [];
  if (field.oneof !== undefined) throw unsupported(`field ${field.protoName} of a oneof`);
  const renamed = field.options?.['amino.field_name'];
  return [[typeof renamed === 'string' ? renamed : field.protoName, fieldToAmino(field, value)]];
}

function keepsDefault({ options }: Field): boolean {
  return options?.['amino.dont_omitempty'] === true;
}

/** A message that is there is written even when it is empty. */
function isDefault(field: Field, value: unknown): boolean {
  if (field.rule === 'repeated') return (value as readonly unknown[]).length === 0;
  if (value instanceof Uint8Array) return value.length === 0;
  return value === 0 || value === 0n || value === '' || value === false;
}

function fieldToAmino(field: Field, value: unknown): JsonValue {
  if (field.rule !== 'repeated') return valueToAmino(field, value);
  const items = value as readonly unknown[];
  // Go writes a slice that was never filled as null; only coins are made an empty list.
  if (items.length === 0 && field.options?.['amino.encoding'] !== 'legacy_coins') return null;
  return items.map((item) => valueToAmino(field, item));
}

function valueToAmino(field: Field, value: unknown): JsonValue {
  const { value: held } = field;
  if (held.kind === 'message') return messageToAmino(held.message(), value);
  if (held.kind === 'double' || held.kind === 'float') throw unsupported(`field ${field.protoName}`);
  if (value instanceof Uint8Array) return toBase64(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'string') return scalarText(field, value);
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  throw unsupported(`field ${field.protoName}`);
}

/** Integers that are nothing are zero; decimals travel as integers and are shown with their point. */
function scalarText({ options }: Field, text: string): string {
  const scalar = options?.['cosmos_proto.scalar'];
  if (scalar === 'cosmos.Int') return text === '' ? '0' : text;
  const isDecimal =
    scalar === 'cosmos.Dec' && options?.['gogoproto.customtype'] === 'cosmossdk.io/math.LegacyDec';
  if (!isDecimal) return text;
  if (!/^-?[0-9]+$/.test(text)) return text === '' ? '0' : text;
  const sign = text.startsWith('-') ? '-' : '';
  const digits = text.slice(sign.length).padStart(DECIMAL_DIGITS + 1, '0');
  return `${sign}${digits.slice(0, -DECIMAL_DIGITS)}.${digits.slice(-DECIMAL_DIGITS)}`;
}

function unsupported(what: string): StateError {
  return new StateError(sdkErrors.notSupported, `SIGN_MODE_LEGACY_AMINO_JSON does not support ${what}`);
}
