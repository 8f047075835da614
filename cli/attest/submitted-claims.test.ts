import { expect, test } from 'vitest';
import { Answerer } from '../../attest/serve/answerer.ts';
import { HeadLibrary } from '../../attest/serve/head-library.ts';
import { ShardLibrary } from '../../attest/serve/shard-library.ts';
import type { Connection } from '../../client/index.ts';
import { sha256 } from '../../core/hash.ts';
import { ANY_DEPTH_MAX } from '../../framework/any-types.ts';
import { encodeClaim } from '../../modules/attribution/proof/influence/claim.ts';
import { INFLUENCE_TREES } from '../../modules/attribution/proof/influence/trees.ts';
import { answerCommitment, openAnswer } from '../../modules/attribution/verify.ts';
import { QueryParamsResponse } from '../../proto/gen/cosmos/consensus/v1/query.ts';
import { ConsensusParams } from '../../proto/gen/tendermint/types/params.ts';
import { MsgExec } from '../../proto/gen/cosmos/authz/v1beta1/tx.ts';
import { TxBody, TxRaw } from '../../proto/gen/cosmos/tx/v1beta1/tx.ts';
import { Any } from '../../proto/gen/google/protobuf/any.ts';
import {
  ChunkRequest,
  Claim,
  ClaimRecord,
  ClaimState,
} from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { MsgServeChunk, MsgSubmitClaim } from '../../proto/gen/openledger/attribution/v1/tx.ts';
import { smallHead } from '../../test/support/head-world.ts';
import type { Account } from './account.ts';
import { answerChain } from './answer-chain.ts';
import { AttestChain } from './chain.ts';
import { expectPending, messagesIn, PendingStatements, submittedClaim } from './submitted-claims.ts';

test('messages are found as deep in grants as the chain executes them', () => {
  const value = MsgServeChunk.encode(MsgServeChunk.create({ requestId: 7n }));
  let message = Any.create({ typeUrl: MsgServeChunk.typeUrl, value });
  for (let depth = 0; depth <= ANY_DEPTH_MAX; depth++) {
    const bodyBytes = TxBody.encode(TxBody.create({ messages: [message] }));
    const found = messagesIn(TxRaw.encode(TxRaw.create({ bodyBytes })), MsgServeChunk);
    expect(
      found.map(({ requestId }) => requestId),
      `inside ${depth} of them`,
    ).toEqual([7n]);
    message = Any.create({
      typeUrl: MsgExec.typeUrl,
      value: MsgExec.encode({ grantee: 'open1', msgs: [message] }),
    });
  }
});

const head = smallHead({ datanetId: 1n, snapshotCount: 3n, contributionIds: [1n, 2n, 3n] });

/** A pending claim of influence in the block of its number, about an answer of one byte. */
function submitted(id: bigint, byte: number): { readonly record: ClaimRecord; readonly tx: Uint8Array } {
  const answer = openAnswer(Uint8Array.of(byte));
  const claim = Claim.create({ influence: { cardId: 1n, statement: encodeClaim(head.claim.claim) } });
  const value = MsgSubmitClaim.encode(MsgSubmitClaim.create({ claim, answer }));
  const messages = [Any.create({ typeUrl: MsgSubmitClaim.typeUrl, value })];
  const record = ClaimRecord.create({
    ...{ id, height: id, cardId: 1n, state: ClaimState.CLAIM_STATE_PENDING },
    ...{ claimHash: sha256(Claim.encode(claim)), answerRoot: answerCommitment(answer).root },
  });
  return {
    record,
    tx: TxRaw.encode(TxRaw.create({ bodyBytes: TxBody.encode(TxBody.create({ messages })) })),
  };
}

test('a claim is told from one about another answer, in the same block', async () => {
  const [first, second] = [submitted(1n, 65), submitted(2n, 66)];
  const comet = { block: async () => ({ block: { txs: [first.tx, second.tx] } }) };
  const found = await submittedClaim({ comet } as unknown as Connection, second.record);
  expect(found?.answer).toEqual(openAnswer(Uint8Array.of(66)));
});

test('a block that cannot be read delays answers about its own claim only', async () => {
  const claims = [submitted(1n, 65), submitted(2n, 66), submitted(3n, 67)];
  let down = true;
  const comet = {
    async block(height: number) {
      if (down && height < 3) throw new Error('ECONNRESET');
      return {
        block: { txs: claims.filter(({ record }) => record.height === BigInt(height)).map(({ tx }) => tx) },
      };
    },
  };
  const place = { tree: INFLUENCE_TREES.effects, document: 0, chunk: 0 };
  const requests = [1n, 3n].map((id) => ChunkRequest.create({ id, claimId: id, place, deadline: 500n }));
  const attribution = {
    openClaims: async () => ({ claims: claims.map(({ record }) => record), pagination: undefined }),
    requests: async () => ({ requests, pagination: undefined }),
  };
  const block = { maxBytes: 4_194_304n, maxGas: -1n };
  const value = QueryParamsResponse.encode(
    QueryParamsResponse.create({ params: ConsensusParams.create({ block }) }),
  );
  const queries = { openledger: { attribution }, queryAbci: async () => ({ value }) };
  const chain = new AttestChain({ comet, queries } as unknown as Connection);
  const heads = new HeadLibrary([head.card]);
  const statements = new PendingStatements(chain);
  const answered: bigint[] = [];
  const account = {
    address: 'open1server',
    simulate: async () => 1,
    async sendAll(txs: readonly { readonly messages: readonly { readonly value: MsgServeChunk }[] }[]) {
      answered.push(...txs.flatMap(({ messages }) => messages.map(({ value: { requestId } }) => requestId)));
      return txs.map(() => ({ status: 'fulfilled', value: { hash: 'TX' } }));
    },
  } as unknown as Account;
  const warned: string[] = [];
  const logger = { info: () => undefined, warn: (_: object, words: string) => void warned.push(words) };
  const counted: string[] = [];
  const answerer = new Answerer({
    ...{ chain: answerChain({ chain, account, statements }), library: new ShardLibrary(), heads, logger },
    metrics: { chunkRequest: (outcome) => void counted.push(outcome) },
  });
  const round = async () => {
    await expectPending({ statements, heads, logger });
    await answerer.round();
  };
  await round();
  expect(answered).toEqual([3n]);
  expect(warned.map((words) => /claim \d/.exec(words)?.[0])).toEqual(['claim 1', 'claim 2']);
  down = false;
  await round();
  expect(answered).toEqual([3n, 1n]);
  expect(counted).toEqual(['answered', 'answered']);
});
