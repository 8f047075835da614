/** Our messages as CosmJS knows message types: adapters from the field tables in `proto/gen`. */
import { defaultRegistryTypes } from '@cosmjs/stargate';
import { Registry, type TsProtoGeneratedType } from '@cosmjs/proto-signing';
import type { Field } from '../proto/codec/field.ts';
import type { MessageType } from '../proto/codec/message.ts';
import {
  MsgConvictModelCard,
  MsgConvictShard,
  MsgDisputeClaim,
  MsgPublishIndex,
  MsgPublishModelCard,
  MsgRequestChunk,
  MsgRetireIndex,
  MsgRetireModelCard,
  MsgServeChunk,
  MsgSubmitClaim,
} from '../proto/gen/openledger/attribution/v1/tx.ts';
import {
  MsgClaimVouchers,
  MsgCloseChannel,
  MsgFinalizeWithdrawal,
  MsgInitiateWithdrawal,
  MsgOpenChannel,
  MsgRotateKey,
  MsgTopUpChannel,
} from '../proto/gen/openledger/channels/v1/tx.ts';
import {
  MsgContribute,
  MsgCreateDatanet,
  MsgPublishSnapshot,
  MsgUpdateAllowList,
  MsgWithdrawContribution,
} from '../proto/gen/openledger/datanet/v1/tx.ts';
import { MsgRegisterModel } from '../proto/gen/openledger/models/v1/tx.ts';
import {
  MsgCancelAuthorization,
  MsgCaptureHold,
  MsgHoldPayment,
  MsgPayInference,
  MsgPayInferenceWithAuthorization,
  MsgReclaimHold,
  MsgRefundPayment,
  MsgTransferWithAuthorization,
  MsgVoidHold,
} from '../proto/gen/openledger/payments/v1/tx.ts';
import { MsgClaim, MsgSetAutoClaim } from '../proto/gen/openledger/pools/v1/tx.ts';
import {
  MsgClaimEntitlement,
  MsgDisputeEpoch,
  MsgRegisterGateway,
  MsgRequestEpochPiece,
  MsgServeEpochPiece,
  MsgSettleEpoch,
  MsgUpdateGateway,
} from '../proto/gen/openledger/settlement/v1/tx.ts';

/** Every message of the native modules. */
export const MESSAGES: readonly MessageType<unknown>[] = [
  MsgCreateDatanet,
  MsgUpdateAllowList,
  MsgContribute,
  MsgWithdrawContribution,
  MsgPublishSnapshot,
  MsgRegisterModel,
  MsgPayInference,
  MsgTransferWithAuthorization,
  MsgPayInferenceWithAuthorization,
  MsgCancelAuthorization,
  MsgHoldPayment,
  MsgCaptureHold,
  MsgVoidHold,
  MsgReclaimHold,
  MsgRefundPayment,
  MsgClaim,
  MsgSetAutoClaim,
  MsgPublishIndex,
  MsgRetireIndex,
  MsgConvictShard,
  MsgRequestChunk,
  MsgServeChunk,
  MsgSubmitClaim,
  MsgDisputeClaim,
  MsgPublishModelCard,
  MsgRetireModelCard,
  MsgConvictModelCard,
  MsgOpenChannel,
  MsgTopUpChannel,
  MsgRotateKey,
  MsgClaimVouchers,
  MsgCloseChannel,
  MsgInitiateWithdrawal,
  MsgFinalizeWithdrawal,
  MsgRegisterGateway,
  MsgUpdateGateway,
  MsgSettleEpoch,
  MsgDisputeEpoch,
  MsgRequestEpochPiece,
  MsgServeEpochPiece,
  MsgClaimEntitlement,
];

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
