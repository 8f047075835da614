import { type Coin, coinToWire } from '../../framework/coins.ts';
import { type MessageHandler, type MessageRoute, messageRoute } from '../../framework/message.ts';
import { paramsMessage } from '../../framework/params-message.ts';
import type { Epoch, Gateway } from '../../proto/gen/openledger/settlement/v1/settlement.ts';
import * as wire from '../../proto/gen/openledger/settlement/v1/tx.ts';
import type { SettlementCore } from './core.ts';
import { checkDispute } from './disputes.ts';
import { checkEntitlement, claimEntitlement, type EntitlementPlan } from './entitlements.ts';
import {
  checkSettlement,
  convictEpoch,
  settleEpoch,
  type SettlementPlan,
  validateSettlement,
} from './epochs.ts';
import {
  checkRegistration,
  checkUpdate,
  registerGateway,
  updateGateway,
  validateEndpoint,
  validateGateway,
} from './gateways.ts';
import { validateParams } from './params.ts';
import {
  type AnswerPlan,
  answerRequest,
  checkAnswer,
  checkRequest,
  openRequest,
  type RequestPlan,
  validateRequest,
} from './requests.ts';

/** Messages of settlement. */
export function settlementMessages(k: SettlementCore): readonly MessageRoute[] {
  return [
    messageRoute(register(k)),
    messageRoute(update(k)),
    messageRoute(settle(k)),
    messageRoute(dispute(k)),
    messageRoute(request(k)),
    messageRoute(serve(k)),
    messageRoute(claim(k)),
    paramsMessage(wire, {
      addresses: k.addresses,
      validate: validateParams,
      set: (context, params) => k.state.params.set(context, params),
    }),
  ];
}

function register(
  k: SettlementCore,
): MessageHandler<wire.MsgRegisterGateway, wire.MsgRegisterGatewayResponse, Gateway> {
  return {
    type: wire.MsgRegisterGateway,
    response: wire.MsgRegisterGatewayResponse,
    signers: ({ gateway }) => [gateway],
    validate: validateGateway,
    check(context, { gateway: address, receiptKey, endpoint }) {
      const gateway = { address, receiptKey, endpoint };
      checkRegistration(k, context, gateway);
      return gateway;
    },
    execute(context, _, gateway) {
      registerGateway(k, context, gateway);
      return {};
    },
  };
}

function update(
  k: SettlementCore,
): MessageHandler<wire.MsgUpdateGateway, wire.MsgUpdateGatewayResponse, Gateway> {
  return {
    type: wire.MsgUpdateGateway,
    response: wire.MsgUpdateGatewayResponse,
    signers: ({ gateway }) => [gateway],
    validate: ({ endpoint }) => validateEndpoint(endpoint),
    check: (context, { gateway: address, endpoint }) => checkUpdate(k, context, { address, endpoint }),
    execute(context, _, gateway) {
      updateGateway(k, context, gateway);
      return {};
    },
  };
}

function settle(
  k: SettlementCore,
): MessageHandler<wire.MsgSettleEpoch, wire.MsgSettleEpochResponse, SettlementPlan> {
  return {
    type: wire.MsgSettleEpoch,
    response: wire.MsgSettleEpochResponse,
    signers: ({ gateway }) => [gateway],
    validate: validateSettlement,
    check: (context, message) => checkSettlement(k, context, message),
    execute: (context, message, plan) => ({ epochId: settleEpoch(k, context, message, plan).id }),
  };
}

function dispute(
  k: SettlementCore,
): MessageHandler<wire.MsgDisputeEpoch, wire.MsgDisputeEpochResponse, Epoch> {
  return {
    type: wire.MsgDisputeEpoch,
    response: wire.MsgDisputeEpochResponse,
    signers: ({ challenger }) => [challenger],
    validate: () => undefined,
    check: (context, message) => checkDispute(k, context, message),
    execute(context, { challenger }, epoch) {
      const reward: Coin = convictEpoch(k, context, epoch, challenger);
      return { reward: coinToWire(reward) };
    },
  };
}

function request(
  k: SettlementCore,
): MessageHandler<wire.MsgRequestEpochPiece, wire.MsgRequestEpochPieceResponse, RequestPlan> {
  return {
    type: wire.MsgRequestEpochPiece,
    response: wire.MsgRequestEpochPieceResponse,
    signers: ({ requester }) => [requester],
    validate: validateRequest,
    check: (context, message) => checkRequest(k, context, message),
    execute(context, { requester }, plan) {
      const { id: requestId, deadline } = openRequest(k, context, requester, plan);
      return { requestId, deadline };
    },
  };
}

function serve(
  k: SettlementCore,
): MessageHandler<wire.MsgServeEpochPiece, wire.MsgServeEpochPieceResponse, AnswerPlan> {
  return {
    type: wire.MsgServeEpochPiece,
    response: wire.MsgServeEpochPieceResponse,
    signers: ({ sender }) => [sender],
    validate: () => undefined,
    check: (context, message) => checkAnswer(k, context, message),
    execute(context, _, plan) {
      answerRequest(k, context, plan);
      return {};
    },
  };
}

function claim(
  k: SettlementCore,
): MessageHandler<wire.MsgClaimEntitlement, wire.MsgClaimEntitlementResponse, EntitlementPlan> {
  return {
    type: wire.MsgClaimEntitlement,
    response: wire.MsgClaimEntitlementResponse,
    signers: ({ sender }) => [sender],
    validate: () => undefined,
    check: (context, message) => checkEntitlement(k, context, message),
    execute(context, { index }, plan) {
      claimEntitlement(k, context, index, plan);
      return { row: plan.row };
    },
  };
}
