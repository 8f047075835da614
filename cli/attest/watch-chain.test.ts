import { expect, test } from 'vitest';
import type { Connection } from '../../client/index.ts';
import { utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { openAnswer, answerCommitment } from '../../modules/attribution/verify.ts';
import { TxBody, TxRaw } from '../../proto/gen/cosmos/tx/v1beta1/tx.ts';
import { Any } from '../../proto/gen/google/protobuf/any.ts';
import {
  ChunkRequest,
  Claim,
  ClaimRecord,
  ClaimState,
  ModelCard,
  ObjectState,
  Shard,
  ShardCommitment,
} from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { MsgSubmitClaim } from '../../proto/gen/openledger/attribution/v1/tx.ts';
import { ATTRIBUTION_PARAMS } from '../../attest/serve/testing/params.ts';
import type { Account } from './account.ts';
import { AttestChain } from './chain.ts';
import { AccountWatchChain } from './watch-chain.ts';

const answer = openAnswer(utf8('an answer'));
const claim = Claim.create({ influence: { cardId: 1n, statement: utf8('a statement') } });

function record(id: bigint): ClaimRecord {
  return ClaimRecord.create({
    ...{ id, height: id, state: ClaimState.CLAIM_STATE_PENDING, claimant: 'open1claimant' },
    ...{ claimHash: sha256(Claim.encode(claim)), answerRoot: answerCommitment(answer).root },
  });
}

function transaction(): Uint8Array {
  const value = MsgSubmitClaim.encode(MsgSubmitClaim.create({ answer, claim }));
  const messages = [Any.create({ typeUrl: MsgSubmitClaim.typeUrl, value })];
  return TxRaw.encode(TxRaw.create({ bodyBytes: TxBody.encode(TxBody.create({ messages })) }));
}

test('what a claim leaves out is judged by the parameters that it was made under, whatever they are now', async () => {
  const asked: bigint[] = [];
  const versions = new Map([
    [1n, { ...ATTRIBUTION_PARAMS, spansMax: 3 }],
    [2n, { ...ATTRIBUTION_PARAMS, spansMax: 50 }],
  ]);
  const attribution = {
    openClaims: async () => ({
      claims: [1n, 2n, 1n].map((paramsVersion, i) => ({ ...record(BigInt(i + 1)), paramsVersion })),
      pagination: undefined,
    }),
    async paramsOfVersion({ version }: { readonly version: bigint }) {
      asked.push(version);
      return { params: versions.get(version) };
    },
  };
  const comet = { block: async () => ({ block: { txs: [transaction()] } }) };
  const connection = { comet, queries: { openledger: { attribution } } } as unknown as Connection;
  const chain = new AccountWatchChain(new AttestChain(connection), {} as Account);
  const claims = await chain.pendingClaims();
  expect(claims.map(({ answered }) => answered?.rules.spansMax)).toEqual([3, 50, 3]);
  expect(asked).toEqual([1n, 2n]);
});

test('a pruned block keeps its own claim from being judged and no other; what was read is not read again', async () => {
  const read: number[] = [];
  const comet = {
    async block(height: number) {
      read.push(height);
      if (height === 1) throw new Error('height 1 is not available');
      return { block: { txs: [transaction()] } };
    },
  };
  const claims = [record(1n), record(2n)];
  const attribution = {
    openClaims: async () => ({ claims, pagination: undefined }),
    paramsOfVersion: async () => ({ params: ATTRIBUTION_PARAMS }),
  };
  const connection = { comet, queries: { openledger: { attribution } } } as unknown as Connection;
  const chain = new AccountWatchChain(new AttestChain(connection), {} as Account);
  for (let round = 0; round < 2; round++)
    expect(await chain.pendingClaims()).toMatchObject([
      { id: 1n, claim: undefined, missing: 'height 1 is not available' },
      { id: 2n, claim, answered: { answer: utf8('an answer') } },
    ]);
  expect(read).toEqual([1, 2, 1]);
});

/** A watcher's chain whose node answers about attribution like this. */
function watching(attribution: Readonly<Record<string, () => unknown>>): AccountWatchChain {
  const asked = Object.entries(attribution).map(([name, answer]) => [name, async () => answer()]);
  const datanet = { snapshotsByDatanet: async () => ({ snapshots: [], pagination: undefined }) };
  const queries = { openledger: { attribution: Object.fromEntries(asked), datanet } };
  const account = { address: 'open1watcher' } as Account;
  return new AccountWatchChain(new AttestChain({ queries } as unknown as Connection), account);
}

test('of the open requests those of its account take places, not those of others', async () => {
  const requests = ['open1watcher', 'open1other', 'open1watcher', 'open1other'].map((requester, i) =>
    ChunkRequest.create({ id: BigInt(i + 1), requester, [i < 2 ? 'shardId' : 'cardId']: 7n }),
  );
  const params = { ...ATTRIBUTION_PARAMS, accountRequestsMax: 5 };
  const chain = watching({ requests: () => ({ requests }), params: () => ({ params }) });
  expect(await chain.ownRequests()).toEqual({ open: ['shard 7', 'card 7'], most: 5 });
});

test('what a conviction pays, and how long an answer may take, is by the parameters of the shard', async () => {
  const bond = { denom: 'uopen', amount: '1000' };
  const shard = Shard.create({ id: 7n, bond, openRequests: 2, paramsVersion: 1n });
  const then = {
    ...ATTRIBUTION_PARAMS,
    requestBond: 3n,
    rewardBps: 2_500,
    requestBlocks: 40,
    challengeBlocks: 600,
    shardBond: 400n,
    claimBond: 200n,
    claimBlocks: 70,
  };
  const now = { ...ATTRIBUTION_PARAMS, requestBond: 10n, rewardBps: 9_000, requestBlocks: 9 };
  const chain = watching({
    shard: () => ({ shard: { shard } }),
    params: () => ({ params: now }),
    paramsOfVersion: () => ({ params: then }),
  });
  // What a request has to be bonded with is asked when it is made.
  expect(await chain.stakes('shard', 7n)).toEqual({
    bond: 30n,
    least: 10n,
    reward: 250n,
    leastReward: 100n,
    requestBlocks: 40n,
    windowBlocks: 600n,
  });
  const large = { id: 9n, bond: { denom: 'uopen', amount: '9999' }, paramsVersion: 1n };
  const others = watching({
    claim: () => ({ claim: ClaimRecord.create(large) }),
    params: () => ({ params: now }),
    paramsOfVersion: () => ({ params: then }),
  });
  expect(await others.stakes('claim', 9n)).toMatchObject({ leastReward: 50n, windowBlocks: 70n });
});

test('a shard or card is due when claims may rest on it; one that unbonds, when its bond is gone', async () => {
  const heights = [
    { id: 1n, activeHeight: 50n, releaseHeight: 0n },
    { id: 2n, activeHeight: 50n, releaseHeight: 90n },
  ];
  const state = ObjectState.OBJECT_STATE_ACTIVE;
  const chain = watching({
    shards: () => ({
      shards: heights.map((each) => ({
        state,
        shard: Shard.create({ ...each, commitment: ShardCommitment.create() }),
      })),
    }),
    modelCards: () => ({ cards: heights.map((each) => ({ state, card: ModelCard.create(each) })) }),
  });
  expect((await chain.shards()).map(({ dueHeight }) => dueHeight)).toEqual([50n, 90n]);
  expect((await chain.cards()).map(({ dueHeight }) => dueHeight)).toEqual([50n, 90n]);
});
