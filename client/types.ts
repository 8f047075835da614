/** Our messages as CosmJS knows message types: adapters from the field tables in `proto/gen`. */
import { defaultRegistryTypes } from '@cosmjs/stargate';
import { Registry, type TsProtoGeneratedType } from '@cosmjs/proto-signing';
import type { Field } from '../proto/codec/field.ts';
import type { MessageType } from '../proto/codec/message.ts';
import { MsgService as attribution } from '../proto/gen/openledger/attribution/v1/tx.ts';
import { MsgService as channels } from '../proto/gen/openledger/channels/v1/tx.ts';
import { MsgService as datanet } from '../proto/gen/openledger/datanet/v1/tx.ts';
import { MsgService as models } from '../proto/gen/openledger/models/v1/tx.ts';
import { MsgService as payments } from '../proto/gen/openledger/payments/v1/tx.ts';
import { MsgService as pools } from '../proto/gen/openledger/pools/v1/tx.ts';
import { MsgService as settlement } from '../proto/gen/openledger/settlement/v1/tx.ts';

const SERVICES = [datanet, models, payments, pools, attribution, channels, settlement];

/** Every message of the native modules that an account can sign: all but those of governance. */
export const MESSAGES: readonly MessageType<unknown>[] = SERVICES.flatMap(({ methods }) =>
  methods.map(({ input }) => input()).filter(({ fields }) => !fields.some(isAuthority)),
);

function isAuthority({ name }: Field): boolean {
  return name === 'authority';
}

/** A registry with CosmJS's own messages and ours. */
export function createRegistry(): Registry {
  return new Registry([...defaultRegistryTypes, ...registryTypes()]);
}

/** Our messages, to be added to a registry of one's own. */
export function registryTypes(): readonly [string, TsProtoGeneratedType][] {
  return MESSAGES.map((type) => [type.typeUrl, generatedType(type)]);
}

/**
 * The shape of a ts-proto type around one of our codecs. CosmJS asks of the writer that `encode` returns
 * only `finish`.
 */
export function generatedType<T>(type: MessageType<T>): TsProtoGeneratedType {
  return {
    encode: (message) =>
      ({ finish: () => type.encode(message) }) as ReturnType<TsProtoGeneratedType['encode']>,
    decode(input) {
      if (!(input instanceof Uint8Array)) throw new TypeError(`${type.name} is decoded from bytes only`);
      return type.decode(input);
    },
    fromPartial: (partial) => complete(type, partial),
  };
}

/** A whole message from one with fields missing, at any depth. Numbers are taken for 64-bit fields too. */
export function complete<T>(type: MessageType<T>, partial: unknown): T {
  const given = (typeof partial === 'object' && partial !== null ? partial : {}) as Record<string, unknown>;
  const filled: Record<string, unknown> = {};
  for (const field of type.fields) {
    const value = given[field.name];
    if (value === undefined || value === null) continue;
    filled[field.name] = Array.isArray(value)
      ? value.map((item) => completeValue(field, item))
      : completeValue(field, value);
  }
  return type.create(filled as Partial<T>);
}

function completeValue(field: Field, value: unknown): unknown {
  const { value: held } = field;
  if (held.kind === 'message') return complete(held.message(), value);
  const is64 = held.kind === 'uint64' || held.kind === 'int64';
  return is64 && (typeof value === 'number' || typeof value === 'string') ? BigInt(value) : value;
}
