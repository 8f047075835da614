/** What becomes of a contribution that its contributor takes back. */
import { expect, test } from 'vitest';
import { provenanceClaim } from '../../attest/claim.ts';
import { convict } from '../../attest/prove/convict.ts';
import { shardInMemory } from '../../attest/prove/memory.ts';
import type { ShardReader } from '../../attest/shard.ts';
import { naiveShard } from '../../attest/testing/naive-shard.ts';
import { utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { canonicalJson } from '../../framework/json.ts';
import { attributionErrors } from '../../modules/attribution/errors.ts';
import { encodeFraud } from '../../modules/attribution/proof/shard/fraud-format.ts';
import { openAnswer, provableContent } from '../../modules/attribution/verify.ts';
import { datanetErrors } from '../../modules/datanet/errors.ts';
import { Claim } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { MsgConvictShard } from '../../proto/gen/openledger/attribution/v1/tx.ts';
import { ContributionState } from '../../proto/gen/openledger/datanet/v1/datanet.ts';
import * as datanetQuery from '../../proto/gen/openledger/datanet/v1/query.ts';
import { AttributionMethod } from '../../proto/gen/openledger/models/v1/models.ts';
import { MsgPayInference } from '../../proto/gen/openledger/payments/v1/tx.ts';
import {
  attributionLoop,
  emptyBlocks,
  publishIndexOk,
  SHORT,
  shardOf,
  sourcesOf,
} from '../support/attribution-world.ts';
import {
  contribute,
  createDatanet,
  deliver,
  deliverOk,
  documentText,
  type Loop,
  payInference,
  paymentOf,
  playLoop,
  publishSnapshot,
  registerModel,
  withdraw,
} from '../support/economic-loop.ts';
import { restoreChain, startFrom } from '../support/restore.ts';
import { wealthOf } from '../support/earnings.ts';
import { anyOf } from '../support/test-chain.ts';

const DATANETS = '/openledger.datanet.v1.Query';

function contribution({ chain }: Loop, contributionId: bigint) {
  const { QueryContributionRequest: request, QueryContributionResponse: response } = datanetQuery;
  return chain.query(`${DATANETS}/Contribution`, { request, response }, { contributionId }).contribution;
}

function totals({ chain }: Loop) {
  const { QueryDatanetRequest: request, QueryDatanetResponse: response } = datanetQuery;
  return chain.query(`${DATANETS}/Datanet`, { request, response }, { datanetId: 1n }).totals;
}

function expectWhole({ chain }: Loop): void {
  expect(chain.app.brokenInvariants()).toEqual([]);
}

/** A quotation of contribution 1 by a model. */
function quoting(loop: Loop, modelId: bigint) {
  const quote = { contributionId: 1n, document: loop.documents[0], offset: 10, length: 200 };
  const requestHash = sha256(utf8(`a request to model ${modelId}`));
  return paymentOf(payInference(loop.payer, [quote], { modelId, requestHash }));
}

/** Contribution 1 withdrawn, then contribution 3, snapshot 2, and model 2 over it. */
function withLaterSnapshot(loop: Loop, model: Parameters<typeof registerModel>[1] = {}): void {
  const { chain, owner, first, second, seller } = loop;
  deliverOk(chain, first, withdraw(first, 1n));
  deliverOk(chain, second, contribute(second, provableContent(documentText('monroe'))));
  deliverOk(chain, owner, publishSnapshot(owner));
  deliverOk(chain, seller, registerModel(seller, { snapshotIds: [2n], ...model }));
}

test('only its contributor takes an accepted contribution back, and once', () => {
  const loop = playLoop();
  const { chain, first, second } = loop;
  const refused = (signer: typeof first, id: bigint, kind: { readonly code: number }): void => {
    const { codespace, code, log } = deliver(chain, signer, withdraw(signer, id));
    expect([codespace, code], log).toEqual(['datanet', kind.code]);
  };
  refused(first, 9n, datanetErrors.unknownContribution);
  refused(first, 2n, datanetErrors.notContributor);
  expect(totals(loop).withdrawn).toBe(0n);
  deliverOk(chain, first, withdraw(first, 1n));
  refused(first, 1n, datanetErrors.notAccepted);
  expect(contribution(loop, 1n)).toMatchObject({
    ...{ state: ContributionState.CONTRIBUTION_STATE_WITHDRAWN, position: 0n, lastVersion: 1 },
  });
  expect(totals(loop)).toMatchObject({ contributions: 2n, accepted: 2n, withdrawn: 1n });
  // The content stays taken: the log has it.
  const again = deliver(chain, second, contribute(second, loop.documents[0]));
  expect([again.codespace, again.code]).toEqual(['datanet', datanetErrors.duplicateContent.code]);
  expectWhole(loop);
});

test('snapshots that were made keep it, and it is paid by their models; those that come do not', () => {
  const loop = playLoop();
  const { chain, first, payer } = loop;
  withLaterSnapshot(loop);
  const before = wealthOf(chain, first.address);
  deliverOk(chain, payer, quoting(loop, 1n));
  expect(wealthOf(chain, first.address)).toBeGreaterThan(before);
  const { codespace, code, log } = deliver(chain, payer, quoting(loop, 2n));
  expect([codespace, code]).toEqual(['attribution', attributionErrors['contribution-not-in-snapshot'].code]);
  expect(log).toContain('it is withdrawn');
  // Its place in the log stays, so it is proved in both.
  const { QuerySnapshotProofRequest: request, QuerySnapshotProofResponse: response } = datanetQuery;
  const path = `${DATANETS}/SnapshotProof`;
  for (const snapshotId of [1n, 2n])
    expect(chain.query(path, { request, response }, { snapshotId, contributionId: 1n }).position).toBe(0n);
  expectWhole(loop);
});

test('one that is withdrawn before any snapshot is in none', () => {
  const loop = playLoop();
  const { chain, owner, second, seller, payer } = loop;
  const document = provableContent(documentText('monroe'));
  deliverOk(chain, second, contribute(second, document));
  deliverOk(chain, second, withdraw(second, 3n));
  deliverOk(chain, owner, publishSnapshot(owner));
  deliverOk(chain, seller, registerModel(seller, { snapshotIds: [1n, 2n] }));
  const quote = { contributionId: 3n, document, offset: 0, length: 100 };
  const payment = paymentOf(payInference(payer, [quote], { modelId: 2n }));
  const { codespace, code } = deliver(chain, payer, payment);
  const kind = attributionErrors['contribution-not-in-snapshot'];
  expect([codespace, code]).toEqual([kind.codespace, kind.code]);
});

test('a tombstone convicts a shard while the contribution is accepted; afterwards it and the text are right', () => {
  const loop = attributionLoop();
  const { chain, attestor, challenger, first } = loop;
  const sources = sourcesOf(loop, { from: 0, count: 2 });
  const buried = naiveShard(
    sources.map((source, i) => (i === 0 ? { ...source, content: undefined } : source)),
  );
  const tombstone = shardInMemory(buried, { datanetId: 1n });
  const content = (document: number): Uint8Array => sources[document]?.content ?? new Uint8Array(0);
  const fraud = convict({ honest: naiveShard(sources), accused: tombstone, content });
  if (fraud === undefined) throw new RangeError('a tombstone is no fraud');
  const conviction = (shardId: bigint) =>
    anyOf(MsgConvictShard, { challenger: challenger.address, shardId, proof: encodeFraud(fraud) });
  publishIndexOk(loop, attestor, [tombstone.commitment]);
  deliverOk(chain, challenger, conviction(1n));
  deliverOk(chain, first, withdraw(first, 1n));
  publishIndexOk(loop, attestor, [tombstone.commitment]);
  publishIndexOk(loop, attestor, [shardOf(loop).commitment]);
  for (const shardId of [2n, 3n]) {
    const { codespace, code } = deliver(chain, challenger, conviction(shardId));
    expect([codespace, code]).toEqual(['attribution', attributionErrors['not-convicted'].code]);
  }
  expectWhole(loop);
});

test('what has the same content in another Datanet pays the first contribution, and itself once that is withdrawn', () => {
  const loop = playLoop();
  const { chain, owner, first, second, seller, payer, documents } = loop;
  deliverOk(chain, owner, createDatanet(owner, { slug: 'again' }));
  deliverOk(chain, second, contribute(second, documents[0], { datanetId: 2n }));
  deliverOk(chain, owner, publishSnapshot(owner, 2n));
  deliverOk(chain, seller, registerModel(seller, { snapshotIds: [2n] }));
  const quote = { contributionId: 3n, document: documents[0], offset: 10, length: 200 };
  const earned = (request: string): readonly bigint[] => {
    const held = () => [first, second].map(({ address }) => wealthOf(chain, address));
    const before = held();
    const requestHash = sha256(utf8(request));
    deliverOk(chain, payer, paymentOf(payInference(payer, [quote], { modelId: 2n, requestHash })));
    return held().map((balance, i) => balance - (before[i] ?? 0n));
  };
  const [fee = 0n] = earned('one');
  expect(fee).toBeGreaterThan(0n);
  expect(earned('two')).toEqual([fee, 0n]);
  deliverOk(chain, first, withdraw(first, 1n));
  expect(earned('three')).toEqual([0n, fee]);
  expectWhole(loop);
});

test('where a shard with its text serves a later snapshot, a claim has to name it, and it is paid', () => {
  const loop = attributionLoop();
  const { chain, attestor, payer, first, second } = loop;
  const older = shardOf(loop);
  const { shardIds } = publishIndexOk(loop, attestor, [older.commitment]);
  withLaterSnapshot(loop, {
    attributionMethod: AttributionMethod.ATTRIBUTION_METHOD_POLICY,
    attributionPolicy: { tokenBps: 10_000, influenceBps: 0, retrievalBps: 0, bondedClaimsOnly: false },
  });
  const monroe = provableContent(documentText('monroe'));
  const newer: ShardReader = shardInMemory(
    naiveShard([
      {
        contributionId: 3n,
        contributor: chain.app.composition.addresses.toBytes(second.address),
        content: monroe.content,
        ...monroe.commitment,
      },
    ]),
    { datanetId: 1n, firstPosition: 2n },
  );
  const made = publishIndexOk(loop, attestor, [shardIds[0] ?? 0n, newer.commitment], { snapshotId: 2n });
  emptyBlocks(loop, SHORT.challengeBlocks);
  const shards = [older, newer].map((reader, i) => ({ id: made.shardIds[i] ?? 0n, reader }));
  const answer = utf8('adams said that the adams ... nobody wrote this');
  const spans = [{ answerOffset: 0n, text: utf8('adams said that the adams '), answerProof: undefined }];
  const token = provenanceClaim({ indexIds: [made.indexId], shards, spans, proved: true });
  const before = wealthOf(chain, first.address);
  const payment = MsgPayInference.create({
    ...payInference(payer, [], { modelId: 2n }),
    answer: openAnswer(answer),
    claim: Claim.create({ token }),
  });
  deliverOk(chain, payer, paymentOf(payment));
  expect(wealthOf(chain, first.address)).toBeGreaterThan(before);
  expectWhole(loop);
});

test('a chain that goes on from the exported state knows what is withdrawn, and refuses what cannot be', () => {
  const loop = playLoop();
  withLaterSnapshot(loop);
  const restored = restoreChain(loop.chain);
  expect(restored.brokenInvariants()).toEqual([]);
  const exported = loop.chain.app.exportState({});
  expect(canonicalJson(restored.exportState({}).appState)).toContain('"last_version":1');
  const broken = JSON.parse(canonicalJson(exported.appState).replace('"last_version":0', '"last_version":1'));
  expect(() => startFrom(loop.chain, { ...exported, appState: broken })).toThrow(
    'is not withdrawn, but has a last version',
  );
});
