/** The chain as an attestor who answers requests sees it. */
import type { AnswerChain, ChunkAnswer, OpenRequest } from '../../attest/serve/answer-ports.ts';
import { serveChunk } from '../../client/index.ts';
import { toHex } from '../../core/bytes.ts';
import { cardId, decodeCard } from '../../modules/attribution/proof/influence/card.ts';
import { claimId, decodeClaim } from '../../modules/attribution/proof/influence/claim.ts';
import { shardId } from '../../modules/attribution/proof/shard/commitment.ts';
import { type ChunkRequest, ObjectState } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { MsgServeChunk } from '../../proto/gen/openledger/attribution/v1/tx.ts';
import type { Account } from './account.ts';
import type { AttestChain } from './chain.ts';
import type { PendingStatements } from './submitted-claims.ts';

/** What it is made of. */
export interface AnswerChainParts {
  readonly chain: AttestChain;
  readonly account: Account;
  /** Looked at before requests are. */
  readonly statements: PendingStatements;
}

/** Answers requests by an account. */
export function answerChain({ chain, account, statements }: AnswerChainParts): AnswerChain {
  const messageOf = ({ requestId, piece }: ChunkAnswer): ReturnType<typeof serveChunk> =>
    serveChunk(MsgServeChunk.create({ server: account.address, requestId, ...piece }));
  return {
    async openRequests() {
      const requests = await chain.requests();
      const keys = await keysOf(requests, chain);
      return requests.flatMap((request): readonly OpenRequest[] => {
        const { id, place, deadline } = request;
        if (request.claimId > 0n) {
          const statement = statements.statementOf(request.claimId);
          if (statement === undefined) return [];
          return [{ id, of: 'claim', key: toHex(claimId(decodeClaim(statement))), place, deadline }];
        }
        const of = request.cardId > 0n ? 'card' : 'shard';
        const key = keys[of].get(of === 'card' ? request.cardId : request.shardId);
        return key === undefined ? [] : [{ id, of, key, place, deadline }];
      });
    },
    blockRoom: () => chain.blockRoom(),
    simulate: (answers) => account.simulate(answers.map(messageOf)),
    async send(txs) {
      const sent = await account.sendAll(
        txs.map(({ answers, gas }) => ({ messages: answers.map(messageOf), gas })),
      );
      return sent.map((each) =>
        each.status === 'fulfilled' ? { status: each.status, value: each.value.hash } : each,
      );
    },
  };
}

type Keys = Readonly<Record<'shard' | 'card', ReadonlyMap<bigint, string>>>;

/** Ids in hexadecimal of the shards and cards that are asked about. */
async function keysOf(requests: readonly ChunkRequest[], chain: AttestChain): Promise<Keys> {
  const asks = (field: 'shardId' | 'cardId'): boolean => requests.some((request) => request[field] > 0n);
  const shards = asks('shardId') ? await chain.shards() : [];
  const cards = asks('cardId') ? await chain.cards() : [];
  const { OBJECT_STATE_VOIDED } = ObjectState;
  const standing = <T extends { readonly state: number }>(list: readonly T[]): readonly T[] =>
    list.filter(({ state }) => state !== OBJECT_STATE_VOIDED);
  return {
    shard: new Map(standing(shards).map(({ shard }) => [shard.id, toHex(shardId(shard.commitment))])),
    card: new Map(standing(cards).map(({ card }) => [card.id, toHex(cardId(decodeCard(card.card)))])),
  };
}
