/** Messages ready for `signAndBroadcast`. */
import type { EncodeObject } from '@cosmjs/proto-signing';
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

/** Opens a Datanet; the signer owns it. */
export const createDatanet: (message: MsgCreateDatanet) => EncodeObject = maker(MsgCreateDatanet);

/** Changes who may contribute to a Datanet with an allow-list. */
export const updateAllowList: (message: MsgUpdateAllowList) => EncodeObject = maker(MsgUpdateAllowList);

/** Puts a document into a Datanet: its root and length, not its text. */
export const contribute: (message: MsgContribute) => EncodeObject = maker(MsgContribute);

/** Takes a contribution back: it is in no snapshot that comes. */
export const withdrawContribution: (message: MsgWithdrawContribution) => EncodeObject =
  maker(MsgWithdrawContribution);

/** Freezes a Datanet's accepted contributions as its next version. */
export const publishSnapshot: (message: MsgPublishSnapshot) => EncodeObject = maker(MsgPublishSnapshot);

/** Offers a model for sale. */
export const registerModel: (message: MsgRegisterModel) => EncodeObject = maker(MsgRegisterModel);

/** Pays for an inference and proves what its answer quotes. */
export const payInference: (message: MsgPayInference) => EncodeObject = maker(MsgPayInference);

/** Carries out a transfer that its sender signed off the chain. */
export const transferWithAuthorization: (message: MsgTransferWithAuthorization) => EncodeObject = maker(
  MsgTransferWithAuthorization,
);

/** Collects the price of an inference by what its payer signed off the chain. */
export const payInferenceWithAuthorization: (message: MsgPayInferenceWithAuthorization) => EncodeObject =
  maker(MsgPayInferenceWithAuthorization);

/** Takes an authorisation back. */
export const cancelAuthorization: (message: MsgCancelAuthorization) => EncodeObject =
  maker(MsgCancelAuthorization);

/** Puts money aside for the price of a request. */
export const holdPayment: (message: MsgHoldPayment) => EncodeObject = maker(MsgHoldPayment);

/** Takes the price of a request out of a hold. */
export const captureHold: (message: MsgCaptureHold) => EncodeObject = maker(MsgCaptureHold);

/** Gives a hold back: the payee will not serve. */
export const voidHold: (message: MsgVoidHold) => EncodeObject = maker(MsgVoidHold);

/** Returns a hold that has expired. */
export const reclaimHold: (message: MsgReclaimHold) => EncodeObject = maker(MsgReclaimHold);

/** Gives a payer back a part of a fee. */
export const refundPayment: (message: MsgRefundPayment) => EncodeObject = maker(MsgRefundPayment);

/** Pays what slots of pools are owed to their owner. */
export const claimFromPools: (message: MsgClaim) => EncodeObject = maker(MsgClaim);

/** Has the chain claim from pools; the signer pays for the attempts in gas. */
export const setAutoClaim: (message: MsgSetAutoClaim) => EncodeObject = maker(MsgSetAutoClaim);

/** Publishes an index of a snapshot, with a bond for each new shard. */
export const publishIndex: (message: MsgPublishIndex) => EncodeObject = maker(MsgPublishIndex);

/** Ends an index: bonds of shards that no other index holds come back after the unbonding. */
export const retireIndex: (message: MsgRetireIndex) => EncodeObject = maker(MsgRetireIndex);

/** Convicts a wrong shard by a fraud proof. */
export const convictShard: (message: MsgConvictShard) => EncodeObject = maker(MsgConvictShard);

/** Asks for a piece of a shard, with a bond. */
export const requestChunk: (message: MsgRequestChunk) => EncodeObject = maker(MsgRequestChunk);

/** Shows a piece of a shard that somebody asked for. */
export const serveChunk: (message: MsgServeChunk) => EncodeObject = maker(MsgServeChunk);

/** States what an answer draws on before it is paid: with all proofs, or with a bond. */
export const submitClaim: (message: MsgSubmitClaim) => EncodeObject = maker(MsgSubmitClaim);

/** Convicts an optimistic claim of one false statement. */
export const disputeClaim: (message: MsgDisputeClaim) => EncodeObject = maker(MsgDisputeClaim);

/** Publishes the commitments that influence of a model is claimed by. */
export const publishModelCard: (message: MsgPublishModelCard) => EncodeObject = maker(MsgPublishModelCard);

/** Ends a model card: its bond comes back after the unbonding. */
export const retireModelCard: (message: MsgRetireModelCard) => EncodeObject = maker(MsgRetireModelCard);

/** Convicts a wrong model card. */
export const convictModelCard: (message: MsgConvictModelCard) => EncodeObject = maker(MsgConvictModelCard);

/** Opens a payment channel with its first deposit. */
export const openChannel: (message: MsgOpenChannel) => EncodeObject = maker(MsgOpenChannel);

/** Pays more into a channel. */
export const topUpChannel: (message: MsgTopUpChannel) => EncodeObject = maker(MsgTopUpChannel);

/** Has vouchers of a channel signed by another key. */
export const rotateKey: (message: MsgRotateKey) => EncodeObject = maker(MsgRotateKey);

/** Claims by vouchers of many channels. */
export const claimVouchers: (message: MsgClaimVouchers) => EncodeObject = maker(MsgClaimVouchers);

/** Ends a channel at once, by agreement, or as its receiver who gives up the rest. */
export const closeChannel: (message: MsgCloseChannel) => EncodeObject = maker(MsgCloseChannel);

/** Starts the payer's way out of a channel. */
export const initiateWithdrawal: (message: MsgInitiateWithdrawal) => EncodeObject =
  maker(MsgInitiateWithdrawal);

/** Ends a channel whose withdrawal is due. */
export const finalizeWithdrawal: (message: MsgFinalizeWithdrawal) => EncodeObject =
  maker(MsgFinalizeWithdrawal);

/** Makes the signer a gateway, with the key that its receipts are signed by. */
export const registerGateway: (message: MsgRegisterGateway) => EncodeObject = maker(MsgRegisterGateway);

/** Has a gateway's epochs looked for at another endpoint. */
export const updateGateway: (message: MsgUpdateGateway) => EncodeObject = maker(MsgUpdateGateway);

/** States what a gateway claimed in a round, with a bond. */
export const settleEpoch: (message: MsgSettleEpoch) => EncodeObject = maker(MsgSettleEpoch);

/** Convicts a wrong epoch. */
export const disputeEpoch: (message: MsgDisputeEpoch) => EncodeObject = maker(MsgDisputeEpoch);

/** Asks for a piece of a pending epoch, with a bond. */
export const requestEpochPiece: (message: MsgRequestEpochPiece) => EncodeObject = maker(MsgRequestEpochPiece);

/** Shows a piece of an epoch that somebody asked for. */
export const serveEpochPiece: (message: MsgServeEpochPiece) => EncodeObject = maker(MsgServeEpochPiece);

/** Has a row of a final epoch that the chain does not list paid to its place. */
export const claimEntitlement: (message: MsgClaimEntitlement) => EncodeObject = maker(MsgClaimEntitlement);

function maker<T>(type: MessageType<T>): (message: T) => EncodeObject {
  return (value) => ({ typeUrl: type.typeUrl, value });
}

/** A response of a message, as `DeliverTxResponse.msgResponses` holds it. */
export interface MessageResponse {
  readonly typeUrl: string;
  readonly value: Uint8Array;
}

/**
 * The decoded responses of one type, in the order of the transaction's messages.
 * @throws DecodeError when one is malformed
 */
export function responsesOf<T>(type: MessageType<T>, responses: readonly MessageResponse[]): readonly T[] {
  return responses.filter(({ typeUrl }) => typeUrl === type.typeUrl).map(({ value }) => type.decode(value));
}
