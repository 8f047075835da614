/** Messages about indexes, their shards, and requests for pieces of these. */
import { type MessageHandler, type MessageRoute, messageRoute } from '../../framework/message.ts';
import type { ChunkRequest, Index, Shard } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import * as wire from '../../proto/gen/openledger/attribution/v1/tx.ts';
import { validateBond } from './bonds.ts';
import type { AttributionCore } from './core.ts';
import { refuseAs } from './errors.ts';
import {
  checkRetirement,
  type IndexPlan,
  planIndex,
  publishIndex,
  retireIndex,
  validateIndex,
} from './indexes.ts';
import {
  type AnswerPlan,
  answerRequest,
  checkAnswer,
  checkRequest,
  openRequest,
  type RequestPlan,
  validateRequest,
} from './requests.ts';
import { problemOfFraud, requireBonded, requireShard, voidShard } from './shards.ts';

/** See the file comment. */
export function indexMessages(k: AttributionCore): readonly MessageRoute[] {
  return [
    messageRoute(publish(k)),
    messageRoute(retire(k)),
    messageRoute(convict(k)),
    messageRoute(request(k)),
    messageRoute(serve(k)),
  ];
}

function publish(
  k: AttributionCore,
): MessageHandler<wire.MsgPublishIndex, wire.MsgPublishIndexResponse, IndexPlan> {
  return {
    type: wire.MsgPublishIndex,
    response: wire.MsgPublishIndexResponse,
    signers: ({ publisher }) => [publisher],
    validate(message) {
      validateIndex(message);
      validateBond(message.bond);
    },
    check: (context, message) => planIndex(k, context, message),
    execute(context, message, plan) {
      const { id, shardIds } = publishIndex(k, context, message, plan);
      return { indexId: id, shardIds };
    },
  };
}

function retire(k: AttributionCore): MessageHandler<wire.MsgRetireIndex, wire.MsgRetireIndexResponse, Index> {
  return {
    type: wire.MsgRetireIndex,
    response: wire.MsgRetireIndexResponse,
    signers: ({ sender }) => [sender],
    validate: () => undefined,
    check: (context, { indexId: id, sender }) => checkRetirement(k, context, { id, sender }),
    execute(context, _, index) {
      retireIndex(k, context, index);
      return {};
    },
  };
}

function convict(
  k: AttributionCore,
): MessageHandler<wire.MsgConvictShard, wire.MsgConvictShardResponse, Shard> {
  return {
    type: wire.MsgConvictShard,
    response: wire.MsgConvictShardResponse,
    signers: ({ challenger }) => [challenger],
    validate: () => undefined,
    check(context, { shardId, proof }) {
      const shard = requireShard(k, context, shardId);
      requireBonded(shard, context);
      const problem = problemOfFraud(k, context, shard, proof);
      if (problem !== undefined) refuseAs('not-convicted', `shard ${shardId}: ${problem}`);
      return shard;
    },
    execute: (context, { challenger }, shard) => ({
      reward: voidShard(k, context, shard, { challenger, reason: 'fraud' }),
    }),
  };
}

function request(
  k: AttributionCore,
): MessageHandler<wire.MsgRequestChunk, wire.MsgRequestChunkResponse, RequestPlan> {
  return {
    type: wire.MsgRequestChunk,
    response: wire.MsgRequestChunkResponse,
    signers: ({ requester }) => [requester],
    validate(message) {
      validateRequest(message);
      validateBond(message.bond);
    },
    check: (context, message) => checkRequest(k, context, message),
    execute(context, message, plan) {
      const { id, deadline }: ChunkRequest = openRequest(k, context, message, plan);
      return { requestId: id, deadline };
    },
  };
}

function serve(
  k: AttributionCore,
): MessageHandler<wire.MsgServeChunk, wire.MsgServeChunkResponse, AnswerPlan> {
  return {
    type: wire.MsgServeChunk,
    response: wire.MsgServeChunkResponse,
    signers: ({ server }) => [server],
    validate: () => undefined,
    check: (context, message) => checkAnswer(k, context, message),
    execute(context, _, plan) {
      answerRequest(k, context, plan);
      return {};
    },
  };
}
