/** Claims by an index: proved, optimistic, disputed; and what their payments do meanwhile. */
import { beforeEach, expect, test } from 'vitest';
import { provenanceClaim } from '../../attest/claim.ts';
import { proveShard } from '../../attest/prove/prove.ts';
import { rankRange } from '../../attest/query/search.ts';
import type { ShardReader } from '../../attest/shard.ts';
import { utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { attributionErrors, type AttributionErrorName } from '../../modules/attribution/errors.ts';
import type { ShardStatement } from '../../modules/attribution/proof/shard/format.ts';
import { tokenise } from '../../modules/attribution/proof/tokenise.ts';
import { openAnswer, provableContent } from '../../modules/attribution/verify.ts';
import {
  Claim,
  ClaimState,
  type ProvenanceSpan,
} from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import * as attributionQuery from '../../proto/gen/openledger/attribution/v1/query.ts';
import {
  MsgConvictShard,
  MsgDisputeClaim,
  MsgRetireIndex,
  MsgSubmitClaim,
  MsgSubmitClaimResponse,
} from '../../proto/gen/openledger/attribution/v1/tx.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import { type AttributionPolicy, AttributionMethod } from '../../proto/gen/openledger/models/v1/models.ts';
import * as paymentQuery from '../../proto/gen/openledger/payments/v1/query.ts';
import { QueryCreditsRequest, QueryCreditsResponse } from '../../proto/gen/openledger/pools/v1/query.ts';
import { MsgPayInference } from '../../proto/gen/openledger/payments/v1/tx.ts';
import {
  type AttributionLoop,
  ask,
  attributionLoop,
  bondsHeld,
  emptyBlocks,
  fraudOf,
  publishIndexOk,
  responseOf,
  SHORT,
  shardOf,
  wrongShardOf,
} from '../support/attribution-world.ts';
import { paymentErrors } from '../../modules/payments/errors.ts';
import {
  contribute,
  deliver,
  deliverOk,
  documentText,
  publishSnapshot,
  registerModel,
} from '../support/economic-loop.ts';
import { restoreChain } from '../support/restore.ts';
import { wealthOf } from '../support/earnings.ts';
import { anyOf, type TestAccount } from '../support/test-chain.ts';

const ONLY_TOKENS: AttributionPolicy = {
  tokenBps: 10_000,
  influenceBps: 0,
  retrievalBps: 0,
  bondedClaimsOnly: false,
};
const POLICY_MODEL = {
  attributionMethod: AttributionMethod.ATTRIBUTION_METHOD_POLICY,
  attributionPolicy: ONLY_TOKENS,
};
const BOND = { denom: 'uopen', amount: '200' };
/** In both documents; in the first; in none. */
const ANSWER = utf8('union is strong. adams said that the adams ... nobody wrote this');
const TEXTS: readonly (readonly [number, string])[] = [
  [0, 'union is strong. '],
  [17, 'adams said that the adams '],
];

let loop: AttributionLoop;
let shards: readonly { readonly id: bigint; readonly reader: ShardReader }[];
/** What the claims that were submitted answer. */
const requests = new Map<bigint, Uint8Array>();

/** A loop with model 2 of this policy and an active index of two shards. */
function begin(policy: AttributionPolicy, claimBlocks = SHORT.claimBlocks): void {
  loop = attributionLoop({ claimBlocks });
  requests.clear();
  const change = { ...POLICY_MODEL, attributionPolicy: policy };
  deliverOk(loop.chain, loop.seller, registerModel(loop.seller, change));
  const readers = [shardOf(loop, { from: 0, count: 1 }), shardOf(loop, { from: 1, count: 1 })];
  const { shardIds } = publishIndexOk(
    loop,
    loop.attestor,
    readers.map(({ commitment }) => commitment),
  );
  shards = readers.map((reader, i) => ({ id: shardIds[i] ?? 0n, reader }));
  emptyBlocks(loop, SHORT.challengeBlocks);
}

beforeEach(() => begin(ONLY_TOKENS));

function tokenClaim(proved: boolean): Claim {
  const spans = TEXTS.map(([offset, text]) => ({
    answerOffset: BigInt(offset),
    text: utf8(text),
    answerProof: undefined,
  }));
  return Claim.create({ token: provenanceClaim({ indexIds: [1n], shards, spans, proved }) });
}

/** The claim with the hits of its spans changed. */
function withSpan(
  claim: Claim,
  at: number,
  change: (span: ProvenanceSpan) => Partial<ProvenanceSpan>,
): Claim {
  const { token } = claim;
  if (token === undefined) throw new RangeError('no provenance');
  const spans = token.spans.map((span, i) => (i === at ? { ...span, ...change(span) } : span));
  return { ...claim, token: { ...token, spans } };
}

/** A name for the request that is answered in the next block. */
const requestNow = (): Uint8Array => sha256(utf8(`request ${loop.chain.height}`));

function submission(
  claimant: TestAccount,
  claim: Claim,
  bond: MsgSubmitClaim['bond'],
  change: Partial<MsgSubmitClaim> = {},
): Any {
  return anyOf(MsgSubmitClaim, {
    ...{ claimant: claimant.address, modelId: 2n, answer: openAnswer(ANSWER), claim, bond },
    ...{ payer: loop.payer.address, requestHash: requestNow() },
    ...change,
  });
}

/** The claim, of the payer's payment for what is asked now. */
function submit(claimant: TestAccount, claim: Claim, bond?: MsgSubmitClaim['bond']): bigint {
  const requestHash = requestNow();
  const result = deliverOk(loop.chain, claimant, submission(claimant, claim, bond, { requestHash }));
  const { claimId } = responseOf(MsgSubmitClaimResponse, result);
  requests.set(claimId, requestHash);
  return claimId;
}

function payment(change: Partial<MsgPayInference>): Any {
  return anyOf(
    MsgPayInference,
    MsgPayInference.create({
      payer: loop.payer.address,
      modelId: 2n,
      requestHash: requests.get(change.claimId ?? 0n) ?? requestNow(),
      tokensIn: 20n,
      tokensOut: 77n,
      answer: openAnswer(ANSWER),
      claim: Claim.create(),
      maxFee: { denom: 'uopen', amount: '100000' },
      ...change,
    }),
  );
}

function dispute(claimId: bigint, claim: Claim, at: { span: number; shard: number; proof: Uint8Array }): Any {
  const provenance = { span: at.span, shardId: shards[at.shard]?.id ?? 0n, proof: at.proof };
  const { address: challenger } = loop.challenger;
  return anyOf(MsgDisputeClaim, MsgDisputeClaim.create({ challenger, claimId, claim, provenance }));
}

/** A true proof about a text in a shard: its count, or the occurrence at a rank. */
function truth(shard: number, text: string, rank?: number): Uint8Array {
  const reader = shards[shard]?.reader;
  if (reader === undefined) throw new RangeError('no shard');
  const query = tokenise(utf8(text));
  const { lo, hi } = rankRange(reader, query);
  const at = rank ?? lo;
  const statement: ShardStatement =
    rank === undefined
      ? { kind: 'count', start: 0, length: query.length, lo, hi }
      : { kind: 'occurrence', start: 0, length: query.length, lo: at, hi: at + 1 };
  return proveShard(reader, { query, statements: [statement], documents: false });
}

function expectRefused(signer: TestAccount, message: Any, name: AttributionErrorName): void {
  const { codespace, code, log } = deliver(loop.chain, signer, message);
  expect([codespace, code], log).toEqual(['attribution', attributionErrors[name].code]);
}

function claimRecord(claimId: bigint) {
  const types = {
    request: attributionQuery.QueryClaimRequest,
    response: attributionQuery.QueryClaimResponse,
  };
  return ask(loop, 'Claim', types, { claimId }).claim;
}

function explain(receiptId: bigint): paymentQuery.QueryExplainResponse {
  const types = { request: paymentQuery.QueryExplainRequest, response: paymentQuery.QueryExplainResponse };
  return loop.chain.query('/openledger.payments.v1.Query/Explain', types, { receiptId });
}

function receiptsOf({ address: contributor }: TestAccount): readonly bigint[] {
  const { QueryReceiptsByContributorRequest: request, QueryReceiptsByContributorResponse: response } =
    paymentQuery;
  const path = '/openledger.payments.v1.Query/ReceiptsByContributor';
  return loop.chain.query(path, { request, response }, { contributor }).receipts.map(({ id }) => id);
}

/** What all contributors of the Datanet share. */
function pooled(): string {
  const types = { request: QueryCreditsRequest, response: QueryCreditsResponse };
  const root = { kind: 1, subject: 1n, level: 1, index: 0n, denom: 'uopen' };
  const { credits } = loop.chain.query('/openledger.pools.v1.Query/Credits', types, root);
  return credits.reduce((sum, { amount }) => sum + BigInt(amount.amount), 0n).toString();
}

function gains(act: () => void): readonly bigint[] {
  const accounts = [loop.first, loop.second];
  const before = accounts.map(({ address }) => wealthOf(loop.chain, address));
  act();
  return accounts.map(({ address }, i) => wealthOf(loop.chain, address) - (before[i] ?? 0n));
}

function expectWhole(): void {
  expect(loop.chain.app.brokenInvariants()).toEqual([]);
}

test('a claim with its proofs is paid in the payment that carries it: every holder of every span', () => {
  const [first, second] = gains(() =>
    deliverOk(loop.chain, loop.payer, payment({ claim: tokenClaim(true) })),
  );
  expect((first ?? 0n) + (second ?? 0n)).toBe(513n);
  // Both hold the first span; only the first holds the second one, which has more tokens and is as frequent.
  expect(second).toBeGreaterThan(50n);
  expect(first).toBeGreaterThan(2n * (second ?? 0n));
  const { claim, reasons } = explain(1n);
  expect([claim?.totalWeight, claim?.unattributedWeight, claim?.receiptId]).toEqual([10n ** 16n, 0n, 1n]);
  expect(reasons.join('\n')).toMatch(
    /contribution 1 has weight \d+ of 10000000000000000 in claim 1, by \d+ for tokens/,
  );
  expectWhole();
});

test('proofs that are missing, of another order or of another claim are refused', () => {
  const { payer } = loop;
  const claim = tokenClaim(true);
  const { token } = claim;
  if (token === undefined) throw new RangeError('no provenance');
  const refused = (changed: Claim, name: AttributionErrorName): void =>
    expectRefused(payer, payment({ claim: changed }), name);
  refused({ ...claim, token: { ...token, proofs: [] } }, 'malformed-proof');
  refused({ ...claim, token: { ...token, proofs: token.proofs.toReversed() } }, 'malformed-proof');
  refused({ ...claim, token: { ...token, indexIds: [2n] } }, 'unknown-index');
  refused({ ...claim, token: { ...token, spans: token.spans.toReversed() } }, 'malformed-claim');
  refused(
    withSpan(claim, 0, ({ hits }) => ({ hits: hits.slice(1) })),
    'malformed-proof',
  );
  refused(
    withSpan(claim, 1, () => ({ text: utf8('adams said that the adams_') })),
    'forged-span',
  );
  refused(
    withSpan(claim, 1, ({ hits }) => ({ hits: hits.map((hit) => ({ ...hit, contributionIds: [2n] })) })),
    'malformed-claim',
  );
  refused(
    { ...claim, retrieval: { snapshotId: 1n, queryHash: sha256(ANSWER), items: [] } },
    'part-not-allowed',
  );
  expectRefused(payer, payment({ modelId: 1n, claim }), 'part-not-allowed');
  deliverOk(loop.chain, loop.attestor, anyOf(MsgRetireIndex, { sender: loop.attestor.address, indexId: 1n }));
  refused(claim, 'unknown-index');
  expectWhole();
});

test('an optimistic claim: the payment waits in escrow, and is paid at the end of the window by nobody’s message', () => {
  const { chain, challenger, attestor, payer } = loop;
  const before = chain.balance(challenger.address);
  const claimId = submit(challenger, tokenClaim(false), BOND);
  expect(bondsHeld(loop)).toBe(2200n);
  const paid = gains(() => deliverOk(chain, payer, payment({ claimId })));
  expect([paid, receiptsOf(loop.first)]).toEqual([[0n, 0n], []]);
  expect(explain(1n).reasons.join('\n')).toContain('513uopen to');
  expect(explain(1n).reasons.join('\n')).toContain(`held until claim ${claimId} is decided`);
  expectRefused(payer, payment({ claimId, requestHash: requestNow() }), 'claim-closed');
  // The index is retired meanwhile; it stays for the claim.
  deliverOk(chain, attestor, anyOf(MsgRetireIndex, { sender: attestor.address, indexId: 1n }));
  expectWhole();
  expect(restoreChain(chain).brokenInvariants()).toEqual([]);
  const [first = 0n, second = 0n] = gains(() => emptyBlocks(loop, 2));
  expect(first + second).toBe(513n);
  expect(claimRecord(claimId)).toMatchObject({ state: ClaimState.CLAIM_STATE_FINAL, receiptId: 1n });
  expect(chain.balance(challenger.address)).toBe(before - 5000n);
  expect(explain(1n).reasons.join('\n')).not.toContain('held until');
  expect(receiptsOf(loop.first)).toEqual([1n]);
  expectWhole();
  emptyBlocks(loop, 6);
  expect(bondsHeld(loop)).toBe(0n);
  expectWhole();
});

test('each false statement is convicted by one proof: the bond is lost, the escrow goes to the pools', () => {
  const honest = tokenClaim(false);
  const [common, own] = TEXTS.map(([, text]) => text);
  if (common === undefined || own === undefined) throw new RangeError('no texts');
  const oneLess = withSpan(honest, 0, ({ hits }) => ({
    hits: hits.map((hit) => ({ ...hit, contributionIds: hit.contributionIds.slice(1) })),
  }));
  const noHolder = withSpan(honest, 0, ({ hits }) => ({ hits: hits.slice(1) }));
  const moved = withSpan(honest, 1, ({ hits }) => ({
    hits: hits.map((hit) => ({ ...hit, firstRank: hit.firstRank + 1 })),
  }));
  const cases = [
    { claim: oneLess, at: { span: 0, shard: 0, proof: truth(0, common) } },
    { claim: oneLess, at: { span: 0, shard: 1, proof: truth(1, common) } },
    { claim: noHolder, at: { span: 0, shard: 0, proof: truth(0, common) } },
    { claim: moved, at: { span: 1, shard: 0, proof: truth(0, own) } },
  ];
  for (const { claim, at } of cases) {
    const { chain, payer, challenger, attestor } = loop;
    const claimId = submit(attestor, claim, BOND);
    deliverOk(chain, payer, payment({ claimId }));
    const pool = BigInt(pooled());
    const before = chain.balance(challenger.address);
    expectRefused(challenger, dispute(claimId, honest, at), 'other-claim');
    const { events } = deliverOk(chain, challenger, dispute(claimId, claim, at));
    const told = events.find(({ type }) => type === 'settle_escrow')?.attributes.map(({ value }) => value);
    expect(told).toEqual(expect.arrayContaining([`${claimId}`, '513uopen', 'pools']));
    expect(chain.balance(challenger.address)).toBe(before - 2n * 5000n + 100n);
    expect(BigInt(pooled())).toBe(pool + 513n);
    const record = claimRecord(claimId);
    expect(record.state).toBe(ClaimState.CLAIM_STATE_REFUTED);
    expect(explain(record.receiptId).reasons.join('\n')).toContain(`because claim ${claimId} was refuted`);
    expectRefused(challenger, dispute(claimId, claim, at), 'claim-closed');
    expectWhole();
  }
  expect(bondsHeld(loop)).toBe(2000n);
});

test('one shard of both documents: a contribution that is named for another’s occurrence is convicted', () => {
  const { attestor, chain, challenger } = loop;
  const reader = shardOf(loop);
  publishIndexOk(loop, attestor, [reader.commitment]);
  emptyBlocks(loop, SHORT.challengeBlocks);
  const text = TEXTS[0]?.[1] ?? '';
  const spans = [{ answerOffset: 0n, text: utf8(text), answerProof: undefined }];
  shards = [{ id: 3n, reader }];
  const honest = Claim.create({ token: provenanceClaim({ indexIds: [2n], shards, spans, proved: false }) });
  const [hit] = honest.token?.spans[0]?.hits ?? [];
  if (hit === undefined) throw new RangeError('no hit');
  const wrongAt = hit.contributionIds.indexOf(2n);
  const claim = withSpan(honest, 0, () => ({
    hits: [{ ...hit, contributionIds: hit.contributionIds.with(wrongAt, 1n) }],
  }));
  const claimId = submit(attestor, claim, BOND);
  const proofAt = (rank: number) => ({ span: 0, shard: 0, proof: truth(0, text, rank) });
  const right = hit.firstRank + hit.contributionIds.indexOf(1n);
  expectRefused(challenger, dispute(claimId, claim, proofAt(right)), 'not-convicted');
  deliverOk(chain, challenger, dispute(claimId, claim, proofAt(hit.firstRank + wrongAt)));
  // Nobody had paid: nothing is left of it.
  const data = attributionQuery.QueryClaimRequest.encode({ claimId });
  expect(chain.rawQuery('/openledger.attribution.v1.Query/Claim', data).code).not.toBe(0);
  expectWhole();
});

test('an honest claim cannot be convicted', () => {
  begin(ONLY_TOKENS, 1000);
  const { challenger, attestor } = loop;
  const claim = tokenClaim(false);
  const claimId = submit(attestor, claim, BOND);
  for (const [span, [, text]] of TEXTS.entries())
    for (const shard of [0, 1]) {
      const refused = (proof: Uint8Array): void =>
        expectRefused(challenger, dispute(claimId, claim, { span, shard, proof }), 'not-convicted');
      refused(truth(shard, text));
      // About another pattern.
      refused(truth(shard, 'nobody'));
      const hit = claim.token?.spans[span]?.hits.find(({ shardId }) => shardId === shards[shard]?.id);
      if (hit === undefined) continue;
      for (const i of hit.contributionIds.keys()) refused(truth(shard, text, hit.firstRank + i));
    }
});

test('a claim whose index is convicted pays nobody; the claimant gets the bond back', () => {
  const { chain, challenger, attestor, payer } = loop;
  const wrong = wrongShardOf(loop);
  const { indexId, shardIds } = publishIndexOk(loop, attestor, [wrong.commitment]);
  emptyBlocks(loop, SHORT.challengeBlocks);
  const [shardId = 0n] = shardIds;
  const spans = [{ answerOffset: 0n, text: utf8(TEXTS[0]?.[1] ?? ''), answerProof: undefined }];
  const order = { indexIds: [indexId], shards: [{ id: shardId, reader: shardOf(loop) }], spans };
  const claim = Claim.create({ token: provenanceClaim({ ...order, proved: false }) });
  const claimId = submit(challenger, claim, BOND);
  deliverOk(chain, payer, payment({ claimId }));
  const proof = fraudOf(loop, wrong) ?? new Uint8Array(0);
  const convicted = { challenger: payer.address, shardId, proof };
  expectRefused(payer, anyOf(MsgConvictShard, { ...convicted, shardId: 1n }), 'not-convicted');
  deliverOk(chain, payer, anyOf(MsgConvictShard, convicted));
  const before = chain.balance(challenger.address);
  expectRefused(challenger, submission(challenger, claim, BOND), 'not-usable');
  // By bytes, 1000 and 700: 301.76 and 211.24.
  expect(gains(() => emptyBlocks(loop, 2))).toEqual([301n, 211n]);
  expect([claimRecord(claimId).state, pooled()]).toEqual([ClaimState.CLAIM_STATE_VOIDED, '513']);
  expect(chain.balance(challenger.address) - before).toBe(200n - 5000n);
  expect(explain(1n).reasons.join('\n')).toContain('was convicted');
  expectWhole();
});

test('a verified claim whose index is convicted meanwhile can no longer be paid', () => {
  const { chain, seller, payer, attestor, challenger } = loop;
  const wrong = wrongShardOf(loop);
  const { indexId, shardIds } = publishIndexOk(loop, attestor, [wrong.commitment]);
  emptyBlocks(loop, SHORT.challengeBlocks);
  const [shardId = 0n] = shardIds;
  // What claims rest on, texts and suffixes, is right in it.
  const reader = { ...shardOf(loop), ...wrong };
  const spans = [{ answerOffset: 0n, text: utf8(TEXTS[0]?.[1] ?? ''), answerProof: undefined }];
  const order = { indexIds: [indexId], shards: [{ id: shardId, reader }], spans, proved: true };
  const claimId = submit(seller, Claim.create({ token: provenanceClaim(order) }));
  const proof = fraudOf(loop, wrong) ?? new Uint8Array(0);
  deliverOk(chain, challenger, anyOf(MsgConvictShard, { challenger: challenger.address, shardId, proof }));
  expectRefused(payer, payment({ claimId }), 'not-usable');
  expectWhole();
});

test('a claim looks into all snapshots of its model, so that it can hide no holder', () => {
  const { chain, owner, seller, payer } = loop;
  deliverOk(chain, loop.first, contribute(loop.first, provableContent(documentText('madison'))));
  deliverOk(chain, owner, publishSnapshot(owner));
  const change = { ...POLICY_MODEL, snapshotIds: [1n, 2n] };
  deliverOk(chain, seller, registerModel(seller, change));
  expectRefused(payer, payment({ modelId: 3n, claim: tokenClaim(true) }), 'malformed-claim');
});

test('a verified claim waits for the payment that it was made for, then goes', () => {
  begin(ONLY_TOKENS, 12);
  const { chain, seller, payer } = loop;
  deliverOk(chain, seller, registerModel(seller, POLICY_MODEL));
  const nameless = { payer: 'somebody', requestHash: requestNow() };
  const { codespace, code } = deliver(
    chain,
    seller,
    submission(seller, tokenClaim(true), undefined, nameless),
  );
  expect([codespace, code]).toEqual(['sdk', 7]);
  const unnamed = { requestHash: new Uint8Array(31) };
  expectRefused(seller, submission(seller, tokenClaim(true), undefined, unnamed), 'malformed-claim');
  const paidClaim = submit(seller, tokenClaim(true));
  const otherAnswer = payment({ claimId: paidClaim, answer: openAnswer(utf8('something else')) });
  expectRefused(payer, otherAnswer, 'other-claim');
  // Nobody takes a claim from whom it was made for, nor for another request, another model, or no tokens.
  const taken = payment({ claimId: paidClaim, payer: loop.challenger.address });
  expectRefused(loop.challenger, taken, 'other-claim');
  expectRefused(payer, payment({ claimId: paidClaim, requestHash: requestNow() }), 'other-claim');
  expectRefused(payer, payment({ claimId: paidClaim, modelId: 3n }), 'other-claim');
  const free = deliver(chain, payer, payment({ claimId: paidClaim, tokensOut: 0n }));
  expect([free.codespace, free.code]).toEqual(['payments', paymentErrors.invalidPayment.code]);
  const [first = 0n, second = 0n] = gains(() => deliverOk(chain, payer, payment({ claimId: paidClaim })));
  expect(first + second).toBe(513n);
  const unpaid = submit(seller, tokenClaim(true));
  expectWhole();
  emptyBlocks(loop, 12);
  expectRefused(payer, payment({ claimId: unpaid }), 'unknown-claim');
  expect(claimRecord(paidClaim).receiptId).toBe(1n);
  expectWhole();
});

test('retrieval is the word of the model’s owner; parts that a claim leaves out go to the pools', () => {
  begin({ tokenBps: 5000, influenceBps: 2000, retrievalBps: 3000, bondedClaimsOnly: false });
  const { chain, seller, payer } = loop;
  const item = { contributionId: 2n, firstChunk: 0, chunks: 2, weight: 3 };
  const retrieved = () => ({ snapshotId: 1n, queryHash: requestNow(), items: [item] });
  const claimNow = (change = {}) => ({ ...tokenClaim(true), retrieval: { ...retrieved(), ...change } });
  expectRefused(payer, payment({ claim: claimNow() }), 'part-not-allowed');
  expectRefused(payer, submission(payer, claimNow(), undefined), 'part-not-allowed');
  for (const items of [
    [],
    [{ ...item, weight: 0 }],
    [{ ...item, chunks: 4 }],
    [item, { ...item, firstChunk: 1 }],
    [item, { ...item, contributionId: 1n }],
  ]) {
    expectRefused(seller, submission(seller, claimNow({ items }), undefined), 'malformed-retrieval');
  }
  const otherQuery = claimNow({ queryHash: sha256(ANSWER) });
  expectRefused(seller, submission(seller, otherQuery, undefined), 'malformed-retrieval');
  const asked = requestNow();
  const claimId = submit(seller, claimNow());
  const [first = 0n, second = 0n] = gains(() => deliverOk(chain, payer, payment({ claimId })));
  // 513: 30 % and a part of the tokens to the second, 20 % to the pool, of which a fraction is left.
  expect(second).toBeGreaterThan(154n);
  expect(first + second).toBe(512n);
  expect(pooled()).toBe('103');
  const { reasons } = explain(1n);
  expect(reasons.join('\n')).toMatch(/by \d+ for tokens, 3000000000000000 for retrieval/);
  expect([claimRecord(claimId).requestHash, explain(1n).receipt.requestHash]).toEqual([asked, asked]);
  expect(reasons.join('\n')).toContain('leaves parts of the model');
  expectWhole();
});
