/** Salted shards: of one only members of its Datanet may ask, so its lies must cost nobody else. */
import { expect, test } from 'vitest';
import { provenanceClaim } from '../../attest/claim.ts';
import { shardInMemory } from '../../attest/prove/memory.ts';
import type { ShardReader } from '../../attest/shard.ts';
import { naiveShard } from '../../attest/testing/naive-shard.ts';
import { utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { attributionErrors } from '../../modules/attribution/errors.ts';
import { openAnswer, provableContent } from '../../modules/attribution/verify.ts';
import { Claim, ObjectState } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import * as wire from '../../proto/gen/openledger/attribution/v1/tx.ts';
import { Admission } from '../../proto/gen/openledger/datanet/v1/datanet.ts';
import { MsgUpdateAllowList } from '../../proto/gen/openledger/datanet/v1/tx.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import { AttributionMethod } from '../../proto/gen/openledger/models/v1/models.ts';
import {
  type AttributionLoop,
  attributionLoop,
  emptyBlocks,
  publishIndexOk,
  SHORT,
  shardOf,
  standingOfIndex,
} from '../support/attribution-world.ts';
import {
  contribute,
  createDatanet,
  deliver,
  deliverOk,
  documentText,
  publishSnapshot,
  registerModel,
} from '../support/economic-loop.ts';
import { anyOf, type TestAccount } from '../support/test-chain.ts';

const ANSWER = utf8('adams said that the adams ');
const SECRET = { saltSecret: new Uint8Array(32).fill(9) };
const TEXT = provableContent(utf8('nothing of all this is in here; zzzz '.repeat(20)));

interface Private extends AttributionLoop {
  readonly thief: TestAccount;
  /** Of snapshot 1, of the Datanet of everybody. */
  readonly honest: ShardReader;
  /** Of snapshot 2, of the thief's own: the text of somebody else under the name of his contribution. */
  readonly lie: ShardReader;
}

/** Two Datanets; the second has an allow-list, and a contribution of each who is named. */
function privateLoop(members: (loop: AttributionLoop) => readonly TestAccount[] = () => []): Private {
  const loop = attributionLoop({ unbondingBlocks: 400 });
  const { chain } = loop;
  const thief = chain.account(7);
  const created = createDatanet(thief, { slug: 'private', admission: Admission.ADMISSION_ALLOW_LIST });
  deliverOk(chain, thief, created);
  const others = members(loop);
  deliverOk(chain, thief, allowing(thief, { add: [thief, ...others].map(({ address }) => address) }));
  deliverOk(chain, thief, contribute(thief, TEXT, { datanetId: 2n }));
  for (const [i, other] of others.entries()) {
    const content = provableContent(utf8(`a letter of member ${i}, and nothing else. `.repeat(9)));
    deliverOk(chain, other, contribute(other, content, { datanetId: 2n }));
  }
  deliverOk(chain, thief, publishSnapshot(thief, 2n));
  const claimed = {
    contributionId: 3n,
    contributor: chain.app.composition.addresses.toBytes(thief.address),
    root: TEXT.commitment.root,
    byteLength: TEXT.commitment.byteLength,
    content: documentText('adams'),
  };
  const lie = shardInMemory(naiveShard([claimed]), { datanetId: 2n, ...SECRET });
  return { ...loop, thief, honest: shardOf(loop), lie };
}

function allowing(owner: TestAccount, change: Partial<MsgUpdateAllowList>): Any {
  return anyOf(
    MsgUpdateAllowList,
    MsgUpdateAllowList.create({ owner: owner.address, datanetId: 2n, ...change }),
  );
}

function registerFor({ chain, seller }: AttributionLoop, snapshotIds: readonly bigint[]): void {
  const attributionMethod = AttributionMethod.ATTRIBUTION_METHOD_POLICY;
  const attributionPolicy = { tokenBps: 10_000, influenceBps: 0, retrievalBps: 0, bondedClaimsOnly: true };
  deliverOk(chain, seller, registerModel(seller, { snapshotIds, attributionMethod, attributionPolicy }));
}

interface Named {
  readonly indexId: bigint;
  readonly shardIds: readonly bigint[];
  readonly reader: ShardReader;
}

/** Publishes a shard as an index of its own. */
function index(loop: AttributionLoop, publisher: TestAccount, reader: ShardReader, snapshotId = 1n): Named {
  return { ...publishIndexOk(loop, publisher, [reader.commitment], { snapshotId }), reader };
}

/** A bonded claim of model 2 by these indexes. */
function submission({ payer, thief }: Private, named: readonly Named[]): Any {
  const token = provenanceClaim({
    indexIds: named.map(({ indexId }) => indexId),
    shards: named.map(({ shardIds: [id = 0n], reader }) => ({ id, reader })),
    spans: [{ answerOffset: 0n, text: ANSWER, answerProof: undefined }],
    proved: false,
  });
  return anyOf(wire.MsgSubmitClaim, {
    ...{ claimant: thief.address, modelId: 2n, answer: openAnswer(ANSWER) },
    ...{ claim: Claim.create({ token }), bond: { denom: 'uopen', amount: '200' } },
    ...{ payer: payer.address, requestHash: sha256(utf8('request')) },
  });
}

function asking(requester: TestAccount, shardId: bigint, amount = '100'): Any {
  const place = { tree: 0, document: 0, chunk: 0 };
  const bond = { denom: 'uopen', amount };
  const message = { requester: requester.address, shardId, place, bond };
  return anyOf(wire.MsgRequestChunk, wire.MsgRequestChunk.create(message));
}

test('a claim rests on no salted shard beside another Datanet, whose contributors could not ask', () => {
  const loop = privateLoop();
  const { chain, thief, attestor, honest, lie } = loop;
  registerFor(loop, [1n, 2n]);
  const open = index(loop, attestor, honest);
  const salted = index(loop, thief, lie, 2n);
  const plain = shardInMemory(naiveShard([documentOf(loop)]), { datanetId: 2n });
  const unsalted = index(loop, thief, plain, 2n);
  emptyBlocks(loop, SHORT.challengeBlocks);
  const { codespace, code, log } = deliver(chain, thief, submission(loop, [open, salted]));
  expect([codespace, code], log).toEqual(['attribution', attributionErrors['not-usable'].code]);
  expect(log).toContain(`shard ${salted.shardIds[0]} is salted and model 2 draws on more than Datanet 2`);
  // Of a shard without salts anybody may ask: a claim may rest on it beside others.
  deliverOk(chain, thief, submission(loop, [open, unsalted]));
  deliverOk(chain, loop.first, asking(loop.first, unsalted.shardIds[0] ?? 0n));
});

/** The thief's contribution as it is. */
function documentOf({ chain, thief }: Private) {
  return {
    contributionId: 3n,
    contributor: chain.app.composition.addresses.toBytes(thief.address),
    root: TEXT.commitment.root,
    byteLength: TEXT.commitment.byteLength,
    content: TEXT.content,
  };
}

test('a claim may rest on a salted shard of the only Datanet; its contributors may ask, whoever was taken off the list', () => {
  const loop = privateLoop(({ first }) => [first]);
  const { chain, thief, first, second, challenger } = loop;
  registerFor(loop, [2n]);
  const letter = provableContent(utf8('a letter of member 0, and nothing else. '.repeat(9)));
  const ofFirst = {
    contributionId: 4n,
    contributor: chain.app.composition.addresses.toBytes(first.address),
    root: letter.commitment.root,
    byteLength: letter.commitment.byteLength,
    content: letter.content,
  };
  const told = { ...documentOf(loop), content: documentText('adams') };
  const lie = shardInMemory(naiveShard([told, ofFirst]), { datanetId: 2n, ...SECRET });
  const salted = index(loop, thief, lie, 2n);
  emptyBlocks(loop, SHORT.challengeBlocks);
  deliverOk(chain, thief, submission(loop, [salted]));
  deliverOk(chain, thief, allowing(thief, { remove: [first.address] }));
  const [shardId = 0n] = salted.shardIds;
  for (const stranger of [second, challenger]) {
    const { code } = deliver(chain, stranger, asking(stranger, shardId));
    expect(code).toBe(attributionErrors['not-member'].code);
  }
  // No chunk of the committed text is what the shard was made of, so nobody can answer.
  deliverOk(chain, first, asking(first, shardId));
  emptyBlocks(loop, SHORT.requestBlocks);
  expect(standingOfIndex(loop, salted.indexId)).toBe(ObjectState.OBJECT_STATE_VOIDED);
});
