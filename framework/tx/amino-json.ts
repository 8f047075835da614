/**
 * Amino JSON: what SIGN_MODE_LEGACY_AMINO_JSON signs, for hardware wallets and those that cannot sign
 * protobuf. Names as in the .proto file, 64-bit numbers as text, bytes in base64, enumerations as numbers,
 * defaults left out unless the field says `amino.dont_omitempty`. Source: cosmossdk.io/x/tx v0.13,
 * `signing/aminojson`.
 *
 * Not here: oneofs without `amino.oneof_name`, and floating point. Such a message cannot be signed in this
 * mode.
 */
import { fromUtf8, toBase64, utf8 } from '../../core/bytes.ts';
import { formatInstant, type Instant } from '../../core/time.ts';
import type { Field } from '../../proto/codec/field.ts';
import type { MessageType } from '../../proto/codec/message.ts';
import { TxBody } from '../../proto/gen/cosmos/tx/v1beta1/tx.ts';
import type { AnyTypes } from '../any-types.ts';
import { StateError, sdkErrors } from '../errors.ts';
import { canonicalJson, type JsonObject, type JsonValue } from '../json.ts';
import type { DecodedTx } from './decode.ts';
import type { SignerData } from './signature.ts';

type Properties = Readonly<Record<string, unknown>>;

/** Digits behind the point of the SDK's decimals. */
const DECIMAL_DIGITS = 18;
const DECIMAL_PATTERN = /^-?[0-9]{1,100}$/;

const NANOS_PER_SECOND = 1_000_000_000n;
/** Longest duration in a signed 64-bit number of nanoseconds. */
const DURATION_SECONDS_MAX = 9_223_372_035n;

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
      value: messageToAmino(route.type, value, tx.types),
    })),
    sequence: signer.sequence.toString(),
    ...(tx.timeoutHeight === 0n ? {} : { timeout_height: tx.timeoutHeight.toString() }),
    ...(tx.timeoutTimestamp === undefined ? {} : { timeout_timestamp: formatInstant(tx.timeoutTimestamp) }),
    ...(tx.unordered ? { unordered: true } : {}),
  };
  return utf8(canonicalJson(document));
}

/**
 * Amino JSON of a message.
 * @param types what an `Any` in it may hold
 * @throws StateError (sdk 37) when the mode cannot say it, (sdk 2) when an `Any` holds something unknown
 */
export function messageToAmino<T>(type: MessageType<T>, message: T, types: AnyTypes): JsonValue {
  const properties = message as Properties;
  switch (type.name) {
    case 'google.protobuf.Any':
      return anyToAmino(properties, types);
    case 'google.protobuf.Timestamp':
      return formatInstant(instantOf(properties));
    case 'google.protobuf.Duration':
      return durationToAmino(instantOf(properties));
    default:
      return encodedMessage(type, properties, types);
  }
}

/** What is inside is named, by its amino name or its type URL. */
function anyToAmino(properties: Properties, types: AnyTypes): JsonValue {
  const any = { typeUrl: properties['typeUrl'] as string, value: properties['value'] as Uint8Array };
  const { type, value } = types.unpack(any);
  return { type: type.options['amino.name'] ?? type.typeUrl, value: messageToAmino(type, value, types) };
}

function encodedMessage(type: MessageType<unknown>, properties: Properties, types: AnyTypes): JsonValue {
  const encoding = type.options['amino.message_encoding'];
  switch (encoding) {
    case undefined:
      return { ...oneofsToAmino(type, properties, types), ...fieldsToAmino(type, properties, types) };
    case 'key_field': {
      const key = properties['key'] as Uint8Array;
      return key.length === 0 ? null : toBase64(key);
    }
    case 'threshold_string': {
      const keys = properties['publicKeys'] as readonly Properties[];
      const pubkeys = keys.map((key) => anyToAmino(key, types));
      return { pubkeys, threshold: String(properties['threshold'] as number) };
    }
    default:
      throw unsupported(`message encoding ${encoding}`);
  }
}

function instantOf(properties: Properties): Instant {
  return { seconds: properties['seconds'] as bigint, nanos: properties['nanos'] as number };
}

function durationToAmino({ seconds, nanos }: Instant): string {
  if (seconds > DURATION_SECONDS_MAX || seconds < -DURATION_SECONDS_MAX)
    throw unsupported(`a duration of ${seconds} seconds`);
  return (seconds * NANOS_PER_SECOND + BigInt(nanos)).toString();
}

function fieldsToAmino(type: MessageType<unknown>, properties: Properties, types: AnyTypes): JsonObject {
  const members: [string, JsonValue][] = [];
  for (const field of type.fields) {
    const value = properties[field.name];
    if (field.oneof !== undefined || value === undefined) continue;
    if (!keepsDefault(field) && isDefault(field, value)) continue;
    const renamed = field.options?.['amino.field_name'];
    const name = typeof renamed === 'string' ? renamed : field.protoName;
    members.push([name, fieldToAmino(field, value, types)]);
  }
  return Object.fromEntries(members);
}

/**
 * A oneof is an object that names its member's type and holds it under its field's name; null when none is
 * set.
 */
function oneofsToAmino(type: MessageType<unknown>, properties: Properties, types: AnyTypes): JsonObject {
  const members: Record<string, JsonValue> = {};
  for (const field of type.fields) {
    if (field.oneof === undefined) continue;
    const named = field.options?.['amino.oneof_name'];
    if (typeof named !== 'string') throw unsupported(`field ${field.protoName} of a oneof`);
    const name = camelCase(field.oneof);
    const value = properties[field.name];
    if (value === undefined) members[name] ??= null;
    else members[name] = { type: named, value: { [field.protoName]: fieldToAmino(field, value, types) } };
  }
  return members;
}

/** `some_name` as `SomeName`. */
function camelCase(name: string): string {
  return name.replace(/(?:^|_)([a-z0-9])/g, (_, first: string) => first.toUpperCase());
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

function fieldToAmino(field: Field, value: unknown, types: AnyTypes): JsonValue {
  if (field.rule !== 'repeated') return valueToAmino(field, value, types);
  const items = value as readonly unknown[];
  // Go writes a slice that was never filled as null; only coins are made an empty list.
  if (items.length === 0 && field.options?.['amino.encoding'] !== 'legacy_coins') return null;
  return items.map((item) => valueToAmino(field, item, types));
}

function valueToAmino(field: Field, value: unknown, types: AnyTypes): JsonValue {
  const { value: held } = field;
  if (held.kind === 'message') return messageToAmino(held.message(), value, types);
  if (held.kind === 'double' || held.kind === 'float') throw unsupported(`field ${field.protoName}`);
  if (value instanceof Uint8Array) return bytesToAmino(field, value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'string') return scalarText(field, value);
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  throw unsupported(`field ${field.protoName}`);
}

/** The SDK's numbers may travel as the bytes of their text. */
function bytesToAmino(field: Field, bytes: Uint8Array): string {
  const scalar = field.options?.['cosmos_proto.scalar'];
  if (scalar !== 'cosmos.Int' && scalar !== 'cosmos.Dec') return toBase64(bytes);
  if (field.options?.['gogoproto.customtype'] === undefined) return toBase64(bytes);
  return scalarText(field, fromUtf8(bytes));
}

/** Integers that are nothing are zero; decimals travel as integers and are shown with their point. */
function scalarText({ options, protoName }: Field, text: string): string {
  const scalar = options?.['cosmos_proto.scalar'];
  if (scalar === 'cosmos.Int') return text === '' ? '0' : text;
  const isDecimal =
    scalar === 'cosmos.Dec' && options?.['gogoproto.customtype'] === 'cosmossdk.io/math.LegacyDec';
  if (!isDecimal) return text;
  if (text === '') return '0';
  if (!DECIMAL_PATTERN.test(text)) throw unsupported(`${text.slice(0, 64)} as decimal ${protoName}`);
  const sign = text.startsWith('-') ? '-' : '';
  const digits = text
    .slice(sign.length)
    .replace(/^0+/, '')
    .padStart(DECIMAL_DIGITS + 1, '0');
  return `${sign}${digits.slice(0, -DECIMAL_DIGITS)}.${digits.slice(-DECIMAL_DIGITS)}`;
}

function unsupported(what: string): StateError {
  return new StateError(sdkErrors.notSupported, `SIGN_MODE_LEGACY_AMINO_JSON does not support ${what}`);
}
