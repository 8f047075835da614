/** What claims and evidence may rest on, how long, and what they pay for it. */
import { FEATURES_MAX } from '../../modules/attribution/proof/influence/bounds.ts';
import { runLeavesIn } from '../../modules/attribution/proof/influence/pieces.ts';
import { expect, test } from 'vitest';
import { provenanceClaim } from '../../attest/claim.ts';
import type { ShardReader } from '../../attest/shard.ts';
import { utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { messageToJson } from '../../framework/proto-json.ts';
import { attributionErrors, type AttributionErrorName } from '../../modules/attribution/errors.ts';
import { DEFAULT_PARAMS, validateParams } from '../../modules/attribution/params.ts';
import { openAnswer } from '../../modules/attribution/verify.ts';
import { WORK } from '../../modules/attribution/work.ts';
import {
  Claim,
  ObjectState,
  type Params,
  ParamsVersion,
  Shard,
} from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { GenesisState } from '../../proto/gen/openledger/attribution/v1/genesis.ts';
import * as query from '../../proto/gen/openledger/attribution/v1/query.ts';
import {
  MsgConvictShard,
  MsgPublishIndex,
  MsgRetireIndex,
  MsgSubmitClaim,
} from '../../proto/gen/openledger/attribution/v1/tx.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import { AttributionMethod } from '../../proto/gen/openledger/models/v1/models.ts';
import { MsgPayInference } from '../../proto/gen/openledger/payments/v1/tx.ts';
import {
  type AttributionLoop,
  ask,
  attributionLoop,
  emptyBlocks,
  fraudOf,
  publishIndex,
  publishIndexOk,
  SHORT,
  shardOf,
  wrongShardOf,
} from '../support/attribution-world.ts';
import { deliver, deliverOk, registerModel } from '../support/economic-loop.ts';
import { restoreChain } from '../support/restore.ts';
import { anyOf, type TestAccount, TestChain } from '../support/test-chain.ts';

const ANSWER = utf8('union is strong. nobody wrote this');
const REQUEST = sha256(utf8('request'));
const MODEL = {
  attributionMethod: AttributionMethod.ATTRIBUTION_METHOD_POLICY,
  attributionPolicy: { tokenBps: 10_000, influenceBps: 0, retrievalBps: 0, bondedClaimsOnly: false },
};

interface Published extends AttributionLoop {
  readonly shards: readonly { readonly id: bigint; readonly reader: ShardReader }[];
}

/** A loop with model 2 by tokens and index 1 of two shards, still pending. */
function published(params: Partial<Params> = {}): Published {
  const loop = attributionLoop(params);
  deliverOk(loop.chain, loop.seller, registerModel(loop.seller, MODEL));
  const readers = [shardOf(loop, { from: 0, count: 1 }), shardOf(loop, { from: 1, count: 1 })];
  const { shardIds } = publishIndexOk(
    loop,
    loop.attestor,
    readers.map(({ commitment }) => commitment),
  );
  return { ...loop, shards: readers.map((reader, i) => ({ id: shardIds[i] ?? 0n, reader })) };
}

function active(params: Partial<Params> = {}): Published {
  const loop = published(params);
  emptyBlocks(loop, SHORT.challengeBlocks);
  return loop;
}

function submission({ payer, attestor, shards }: Published, indexIds: readonly bigint[] = [1n]): Any {
  const spans = [{ answerOffset: 0n, text: ANSWER.slice(0, 17), answerProof: undefined }];
  const token = provenanceClaim({ indexIds: [1n], shards, spans, proved: true });
  return anyOf(MsgSubmitClaim, {
    ...{ claimant: attestor.address, modelId: 2n, answer: openAnswer(ANSWER) },
    ...{ claim: Claim.create({ token: { ...token, indexIds } }), bond: undefined },
    ...{ payer: payer.address, requestHash: REQUEST },
  });
}

function payment({ payer }: Published): Any {
  const message = MsgPayInference.create({
    ...{ payer: payer.address, modelId: 2n, requestHash: REQUEST, tokensOut: 9n, claimId: 1n },
    ...{ answer: openAnswer(ANSWER), maxFee: { denom: 'uopen', amount: '100000' } },
  });
  return anyOf(MsgPayInference, message);
}

const refusal = (name: AttributionErrorName) => ({
  codespace: 'attribution',
  code: attributionErrors[name].code,
});

function expectRefused(
  { chain }: { readonly chain: TestChain },
  signer: TestAccount,
  ...[message, name]: readonly [Any, AttributionErrorName]
): void {
  const result = deliver(chain, signer, message);
  expect(result, result.log).toMatchObject(refusal(name));
}

test('nothing is claimed by an index whose window is still open', () => {
  const loop = published();
  emptyBlocks(loop, SHORT.challengeBlocks - 2);
  expectRefused(loop, loop.attestor, submission(loop), 'not-usable');
  deliverOk(loop.chain, loop.attestor, submission(loop));
});

test('a claim names one index of a snapshot, not two that tell the same twice', () => {
  const loop = active();
  publishIndexOk(
    loop,
    loop.attestor,
    loop.shards.map(({ id }) => id),
  );
  expectRefused(loop, loop.attestor, submission(loop, [1n, 2n]), 'malformed-claim');
});

test('a claim is paid in its window, to the last block, and is gone behind it', () => {
  for (const late of [false, true]) {
    const loop = active();
    deliverOk(loop.chain, loop.attestor, submission(loop));
    emptyBlocks(loop, SHORT.claimBlocks - (late ? 0 : 1));
    if (late) expectRefused(loop, loop.payer, payment(loop), 'unknown-claim');
    else deliverOk(loop.chain, loop.payer, payment(loop));
  }
});

test('a shard that unbonds is in no new index', () => {
  const loop = active();
  const { chain, attestor } = loop;
  deliverOk(chain, attestor, anyOf(MsgRetireIndex, { sender: attestor.address, indexId: 1n }));
  const again = anyOf(MsgPublishIndex, publishIndex(attestor, [1n, 2n]));
  expectRefused(loop, attestor, again, 'not-usable');
});

test('what was convicted goes by itself when its bond would have: nobody has to retire it', () => {
  const loop = attributionLoop();
  const { chain, attestor, challenger } = loop;
  const wrong = wrongShardOf(loop);
  publishIndexOk(loop, attestor, [wrong.commitment]);
  publishIndexOk(loop, attestor, [1n]);
  const proof = fraudOf(loop, wrong) ?? new Uint8Array(0);
  const { address } = challenger;
  deliverOk(chain, challenger, anyOf(MsgConvictShard, { challenger: address, shardId: 1n, proof }));
  // One of the two is retired by somebody, the other by nobody.
  deliverOk(chain, challenger, anyOf(MsgRetireIndex, { sender: address, indexId: 2n }));
  emptyBlocks(loop, SHORT.unbondingBlocks - 2);
  const types = { request: query.QueryShardsRequest, response: query.QueryShardsResponse };
  const shards = () => ask(loop, 'Shards', types, { pagination: undefined }).shards.length;
  expect([shards(), chain.app.brokenInvariants()]).toEqual([1, []]);
  expect(restoreChain(chain).brokenInvariants()).toEqual([]);
  emptyBlocks(loop, 1);
  expect([shards(), chain.app.brokenInvariants()]).toEqual([0, []]);
  expectRefused(
    loop,
    attestor,
    anyOf(MsgRetireIndex, { sender: attestor.address, indexId: 1n }),
    'unknown-index',
  );
});

test('work at the end of windows is paid by who submits a claim, and by who publishes an index', () => {
  const at = (gasPerShare: number) => {
    const loop = active({ gasPerShare });
    const { commitment } = shardOf(loop);
    const index = anyOf(MsgPublishIndex, publishIndex(loop.attestor, [commitment]));
    const claim = deliverOk(loop.chain, loop.attestor, submission(loop)).gasUsed;
    return { claim, index: deliverOk(loop.chain, loop.attestor, index).gasUsed };
  };
  // Both take three bytes in the parameters, whose reading costs gas.
  const DEAR = 24_000;
  const CHEAP = 18_000;
  const [dear, cheap] = [at(DEAR), at(CHEAP)];
  const price = (units: number) => BigInt((units * (DEAR - CHEAP)) / WORK.payout);
  // Two shards, two holders, one snapshot.
  // The two positions of the snapshot are one node.
  const units = WORK.claim + 2 * WORK.shard + WORK.snapshot + WORK.node + 2 * WORK.payout;
  expect(dear.claim - cheap.claim).toBe(price(units));
  expect(dear.index - cheap.index).toBe(price(WORK.shardEnd));
});

/** What comes of bytes that convict nothing, against the shard of version 1 or the one of version 2. */
function accuse([first, second]: readonly [Params, Params], shardId: bigint) {
  const versions = [first, second].map((params, i) =>
    ParamsVersion.create({ version: BigInt(i + 1), params, objects: 1n }),
  );
  const publisher = new TestChain().account(1).address;
  const { commitment } = shardOf(attributionLoop());
  const shards = versions.map(({ version: id }) =>
    Shard.create({
      ...{ id, publisher, commitment, paramsVersion: id, releaseHeight: 100n },
      bond: { denom: 'uopen', amount: '1' },
    }),
  );
  const state = GenesisState.create({ params: second, paramsVersion: 2n, paramsVersions: versions, shards });
  const chain = new TestChain({
    genesis: { sections: { attribution: messageToJson(GenesisState, state) } },
  });
  const challenger = chain.account(0);
  const message = anyOf(MsgConvictShard, { challenger: challenger.address, shardId, proof: NO_PROOF });
  return chain.deliver(chain.sign(challenger, [message], { gas: 10_000_000n }));
}

const NO_PROOF = new Uint8Array(SHORT.evidenceBytesMax);

test('evidence is as long as the version of what it is against allows', () => {
  const versions = [SHORT, { ...SHORT, evidenceBytesMax: SHORT.evidenceBytesMax / 2 }] as const;
  expect(accuse(versions, 1n)).toMatchObject(refusal('not-convicted'));
  expect(accuse(versions, 2n)).toMatchObject(refusal('evidence-size'));
});

test('evidence is paid for by its length, at the price of now, also when it is none', () => {
  const at = (gasPerByte: number) => accuse([SHORT, { ...SHORT, gasPerByte }], 1n).gasUsed;
  expect(at(3) - at(2)).toBe(BigInt(NO_PROOF.length));
});

test('all indexes are listed, by pages, with where they stand', () => {
  const loop = published();
  emptyBlocks(loop, SHORT.challengeBlocks);
  publishIndexOk(loop, loop.attestor, [shardOf(loop).commitment]);
  const types = { request: query.QueryIndexesRequest, response: query.QueryIndexesResponse };
  const page = (key: Uint8Array) => {
    const pagination = { key, offset: 0n, limit: 1n, countTotal: false, reverse: false };
    return ask(loop, 'Indexes', types, { pagination });
  };
  const first = page(new Uint8Array(0));
  const second = page(first.pagination?.nextKey ?? new Uint8Array(0));
  const { OBJECT_STATE_ACTIVE: ACTIVE, OBJECT_STATE_PENDING: PENDING } = ObjectState;
  expect([...first.indexes, ...second.indexes].map(({ index, state }) => [index.id, state])).toEqual([
    [1n, ACTIVE],
    [2n, PENDING],
  ]);
  expect(second.pagination?.nextKey).toEqual(new Uint8Array(0));
});

test('by default the reward for a false claim of influence is more than its solution costs to demand, up to 511 features', () => {
  const { requestBond, claimBond, rewardBps, accountRequestsMax } = DEFAULT_PARAMS;
  const atOnce = 4;
  expect(accountRequestsMax).toBeGreaterThanOrEqual(atOnce);
  const reward = (claimBond * BigInt(rewardBps)) / 10_000n;
  // The bond of a request that is answered is lost; each has to be higher by one than those that are open.
  const lost = (classes: number, features: number): bigint => {
    const size = runLeavesIn({ kind: 'head', classes, features, examples: 1 }, 'solution');
    return Array.from(
      { length: Math.ceil(classes / size) },
      (_, run) => BigInt(1 + (run % atOnce)) * requestBond,
    ).reduce((sum, bond) => sum + bond);
  };
  expect([lost(10, 197), lost(256, 511), reward]).toEqual([20_000n, 1_600_000n, 2_500_000n]);
  expect(lost(256, FEATURES_MAX)).toBeGreaterThan(reward);
});

test('windows under which somebody honest is cheated are refused, by genesis and by governance alike', () => {
  const windows = { requestBlocks: 4, challengeBlocks: 5, claimBlocks: 5, unbondingBlocks: 5 };
  expect(() => validateParams({ ...SHORT, ...windows })).not.toThrow();
  const shorter = (name: 'challengeBlocks' | 'claimBlocks' | 'unbondingBlocks') => () =>
    validateParams({ ...SHORT, ...windows, [name]: 4 });
  expect(shorter('challengeBlocks')).toThrow('challenge_blocks is 4, must be more than request_blocks, 4');
  expect(shorter('claimBlocks')).toThrow('claim_blocks is 4, must be more than request_blocks, 4');
  expect(shorter('unbondingBlocks')).toThrow('unbonding_blocks is 4, must be at least challenge_blocks, 5');
});
