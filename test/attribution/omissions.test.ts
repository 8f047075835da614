/** Claims that leave out what they had to name: who convicts them, and that nobody convicts others. */
import { beforeEach, expect, test } from 'vitest';
import { provenanceClaim } from '../../attest/claim.ts';
import { shardInMemory } from '../../attest/prove/memory.ts';
import { proveShard } from '../../attest/prove/prove.ts';
import { rankRange } from '../../attest/query/search.ts';
import { naiveShard } from '../../attest/testing/naive-shard.ts';
import { type Omission, omissionOf } from '../../attest/watch/judge-omission.ts';
import type { ClaimShard } from '../../attest/watch/judge-claim.ts';
import { utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { JsonReader } from '../../framework/json.ts';
import { attributionErrors, type AttributionErrorName } from '../../modules/attribution/errors.ts';
import { omittedPassage } from '../../modules/attribution/proof/omission.ts';
import { workOfShardProof } from '../../modules/attribution/proof/shard/work.ts';
import { rulesUnder } from '../../modules/attribution/proof/trace/rules.ts';
import {
  committedAnswer,
  openAnswer,
  provableContent,
  proveRange,
  proveSpan,
} from '../../modules/attribution/verify.ts';
import { Claim, ClaimState, type Params } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import * as query from '../../proto/gen/openledger/attribution/v1/query.ts';
import {
  MsgDisputeClaim,
  MsgSubmitClaim,
  MsgSubmitClaimResponse,
  type OmissionDispute,
} from '../../proto/gen/openledger/attribution/v1/tx.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import { AttributionMethod } from '../../proto/gen/openledger/models/v1/models.ts';
import { MsgPayInference } from '../../proto/gen/openledger/payments/v1/tx.ts';
import {
  type AttributionLoop,
  ask,
  attributionLoop,
  emptyBlocks,
  publishIndexOk,
  responseOf,
  SHORT,
  sourcesOf,
} from '../support/attribution-world.ts';
import { contribute, deliver, deliverOk, publishSnapshot, registerModel } from '../support/economic-loop.ts';
import { wealthOf } from '../support/earnings.ts';
import { anyOf, type TestAccount, TestChain } from '../support/test-chain.ts';

const HONEY = 'Bees turn the nectar of many flowers into honey by letting water out of it. ';
const BREAD = 'Bread needs flour, water, salt, and a long night of patience. ';
const TEA = 'The kettle sings before the water boils, as every cook will tell you. ';
/** Each is of one document alone, the rarest first; then what nobody wrote. */
const ANSWER = utf8(`${HONEY}${TEA}${BREAD}and so on.`);
const CONTENTS = [`${HONEY}${TEA}And more.`, `Once ${BREAD}And less.`].map((text) =>
  provableContent(utf8(text)),
);

let loop: AttributionLoop;
let shards: readonly ClaimShard[];

/** A loop with model 2, of a snapshot that has two more documents, in a shard for each. */
function begin(params: Partial<Params> = {}, bondedClaimsOnly = false): void {
  loop = attributionLoop(params);
  const { chain, owner, first, second, seller, attestor } = loop;
  const [one, two] = CONTENTS;
  if (one === undefined || two === undefined) throw new RangeError('no contents');
  deliverOk(chain, first, contribute(first, one));
  deliverOk(chain, second, contribute(second, two));
  deliverOk(chain, owner, publishSnapshot(owner));
  const attributionPolicy = { tokenBps: 10_000, influenceBps: 0, retrievalBps: 0, bondedClaimsOnly };
  const attributionMethod = AttributionMethod.ATTRIBUTION_METHOD_POLICY;
  deliverOk(
    chain,
    seller,
    registerModel(seller, { snapshotIds: [2n], attributionMethod, attributionPolicy }),
  );
  const added = [one, two].map((document, i) => ({
    contributionId: BigInt(3 + i),
    contributor: chain.app.composition.addresses.toBytes([first, second][i]?.address ?? ''),
    root: document.commitment.root,
    byteLength: document.commitment.byteLength,
    content: document.content,
  }));
  const sources = [...sourcesOf(loop, { from: 0, count: 2 }), ...added];
  const readers = [sources.slice(0, 3), sources.slice(3)].map((part, i) =>
    shardInMemory(naiveShard(part), { datanetId: 1n, firstPosition: BigInt(3 * i) }),
  );
  const commitments = readers.map(({ commitment }) => commitment);
  const { shardIds } = publishIndexOk(loop, attestor, commitments, { snapshotId: 2n });
  shards = readers.map((reader, i) => ({ id: shardIds[i] ?? 0n, reader }));
  emptyBlocks(loop, SHORT.challengeBlocks);
}

beforeEach(() => begin());

function claimOf(texts: readonly string[], proved = false, isPrivate = false): Claim {
  const whole = provableContent(ANSWER);
  const spans = texts.map((text) => {
    const at = new TextDecoder().decode(ANSWER).indexOf(text);
    const answerProof = isPrivate ? proveRange(whole, at, text.length) : undefined;
    return { answerOffset: BigInt(at), text: utf8(text), answerProof };
  });
  return Claim.create({ token: provenanceClaim({ indexIds: [1n], shards, spans, proved }) });
}

/** What is asked: another for each claim. */
const requestOf = (claim: Claim | undefined): Uint8Array => sha256(Claim.encode(claim ?? Claim.create()));

function submission(claim: Claim, change: Partial<MsgSubmitClaim> = {}): Any {
  const { attestor, payer } = loop;
  const bond = { denom: 'uopen', amount: '200' };
  const about = {
    claimant: attestor.address,
    modelId: 2n,
    payer: payer.address,
    requestHash: requestOf(claim),
  };
  return anyOf(MsgSubmitClaim, { ...about, answer: openAnswer(ANSWER), claim, bond, ...change });
}

function submit(claim: Claim, change: Partial<MsgSubmitClaim> = {}): bigint {
  const result = deliverOk(loop.chain, loop.attestor, submission(claim, change));
  return responseOf(MsgSubmitClaimResponse, result).claimId;
}

function payment(change: Partial<MsgPayInference>, of?: Claim): Any {
  const about = {
    payer: loop.payer.address,
    modelId: 2n,
    requestHash: requestOf(of),
    answer: openAnswer(ANSWER),
  };
  const maxFee = { denom: 'uopen', amount: '100000' };
  return anyOf(
    MsgPayInference,
    MsgPayInference.create({ ...about, tokensIn: 20n, tokensOut: 77n, maxFee, ...change }),
  );
}

function dispute(
  claimId: bigint,
  claim: Claim,
  omission: OmissionDispute,
  more: Partial<MsgDisputeClaim> = {},
): Any {
  const challenger = loop.challenger.address;
  return anyOf(MsgDisputeClaim, MsgDisputeClaim.create({ challenger, claimId, claim, omission, ...more }));
}

function foundIn(claim: Claim, spansMax = 64): Omission | undefined {
  const token = { spans: claim.token?.spans ?? [] };
  return omissionOf({ token, answer: ANSWER, rules: rulesUnder({ ...SHORT, spansMax }), shards });
}

function omissionIn(claim: Claim): OmissionDispute {
  const found = foundIn(claim);
  if (found === undefined) throw new RangeError('nothing is left out');
  return found.dispute;
}

function passageOf({ dispute: { answerOffset, length } }: Omission): string {
  const at = Number(answerOffset);
  return new TextDecoder().decode(ANSWER.subarray(at, at + length));
}

function expectRefused(signer: TestAccount, message: Any, name: AttributionErrorName): string {
  const { codespace, code, log } = deliver(loop.chain, signer, message);
  expect([codespace, code], log).toEqual(['attribution', attributionErrors[name].code]);
  return log;
}

function stateOf(claimId: bigint): ClaimState {
  const types = { request: query.QueryClaimRequest, response: query.QueryClaimResponse };
  return ask(loop, 'Claim', types, { claimId }).claim.state;
}

/** Submits a claim, pays by it, and convicts it of what it leaves out. */
function expectConvicted(
  claim: Claim,
  left: string,
  spansMax = 64,
  change: Partial<MsgSubmitClaim> = {},
): void {
  const { chain, payer, challenger } = loop;
  const claimId = submit(claim, change);
  deliverOk(chain, payer, payment({ claimId, answer: change.answer ?? openAnswer(ANSWER) }, claim));
  const found = foundIn(claim, spansMax);
  if (found === undefined) throw new RangeError('nothing is left out');
  expect(passageOf(found)).toBe(left);
  const before = chain.balance(challenger.address);
  deliverOk(chain, challenger, dispute(claimId, claim, found.dispute));
  expect(chain.balance(challenger.address)).toBe(before - 5000n + 100n);
  expect(stateOf(claimId)).toBe(ClaimState.CLAIM_STATE_REFUTED);
  expect(chain.app.brokenInvariants()).toEqual([]);
}

test('a claim that leaves a passage out is convicted, whichever it is', () => {
  expectConvicted(claimOf([HONEY, TEA]), BREAD);
  expectConvicted(claimOf([HONEY, BREAD]), TEA);
  expectConvicted(claimOf([TEA, BREAD]), HONEY);
});

test('a part of a passage does not stand for it', () => {
  expectConvicted(claimOf(['Bees turn the nectar of many flowers ', TEA, BREAD]), HONEY);
  expectConvicted(claimOf([HONEY, 'The kettle ', 'before ', 'as every cook ', BREAD]), TEA);
});

test('where as many are named as there may be, the rarest must be', () => {
  begin({ spansMax: 1 });
  expect(foundIn(claimOf([HONEY]), 1)).toBeUndefined();
  expectConvicted(claimOf([BREAD]), HONEY, 1);
});

test('of an answer that is given by its root, a dispute opens the passage only', () => {
  const answer = committedAnswer(provableContent(ANSWER));
  expectConvicted(claimOf([HONEY, TEA], false, true), BREAD, 64, { answer });
});

test('an honest claim cannot be convicted of what another leaves out', () => {
  const { chain, payer, challenger, first } = loop;
  const honest = claimOf([HONEY, TEA, BREAD]);
  expect(foundIn(honest)).toBeUndefined();
  const claimId = submit(honest);
  deliverOk(chain, payer, payment({ claimId }, honest));
  const omission = omissionIn(claimOf([HONEY, TEA]));
  const said = expectRefused(challenger, dispute(claimId, honest, omission), 'not-convicted');
  expect(said).toContain('a span that is named up to');
  const before = wealthOf(chain, first.address);
  emptyBlocks(loop, 4);
  expect(stateOf(claimId)).toBe(ClaimState.CLAIM_STATE_FINAL);
  expect(wealthOf(chain, first.address)).toBeGreaterThan(before);
});

test('a dispute that shows less, or something else, convicts nobody', () => {
  begin({ claimBlocks: 100 });
  const { chain, challenger } = loop;
  const wrong = claimOf([HONEY, TEA]);
  const omission = omissionIn(wrong);
  const wrongId = submit(wrong);
  const refused = (change: Partial<OmissionDispute>, words: string): void =>
    expect(
      expectRefused(challenger, dispute(wrongId, wrong, { ...omission, ...change }), 'not-convicted'),
    ).toContain(words);
  refused({ proofs: omission.proofs.slice(1) }, '1 proofs for 2 shards');
  refused({ proofs: omission.proofs.toReversed() }, 'shard 1');
  refused({ answerOffset: omission.answerOffset + 1n }, 'no passage that is named');
  refused({ length: omission.length - 1 }, 'no passage that is named');
  refused({ length: omission.length - 40 }, 'no passage that is named');
  refused({ answerOffset: 1n << 60n }, 'the answer has no passage');
  const { chunks, hashes } = omission.answerProof;
  const other = chunks.map((chunk) => chunk.map((byte) => byte ^ 1));
  refused({ answerProof: { chunks: other, hashes } }, 'but the answer’s root is'.replace('’', "'"));
  const both = { influence: new Uint8Array(1) };
  expectRefused(challenger, dispute(wrongId, wrong, omission, both), 'not-convicted');
  const empty = [new Uint8Array(0), new Uint8Array(0)];
  expectRefused(challenger, dispute(wrongId, wrong, { ...omission, proofs: empty }), 'evidence-size');
  deliverOk(chain, challenger, dispute(wrongId, wrong, omission));
  expect(chain.app.brokenInvariants()).toEqual([]);
});

/** A dispute about a passage whose proofs count it and each of its tokens, and nothing of the first named span. */
function countingOnly(text: string, claim: Claim, spansMax: number): OmissionDispute {
  const whole = provableContent(ANSWER);
  const at = new TextDecoder().decode(ANSWER).indexOf(text);
  // Four bytes on each side show where its tokens begin and end.
  const answerProof = proveRange(whole, at - 4, text.length + 8);
  const shown = { answerOffset: BigInt(at), length: text.length, answerProof, span: 0 };
  const about = {
    token: { spans: claim.token?.spans ?? [] },
    answer: committedAnswer(whole),
    rules: rulesUnder({ ...SHORT, spansMax }),
  };
  const omitted = omittedPassage(about, shown);
  if (typeof omitted === 'string') throw new RangeError(omitted);
  const { query, tokens } = omitted;
  const starts = [...new Set(tokens)].map((id) => query.indexOf(id));
  const runs = starts.toSpliced(1, 0, 0).map((start, i) => ({ start, length: i === 1 ? tokens.length : 1 }));
  const proofs = shards.map(({ reader }) => {
    const statements = runs.map(({ start, length }) => ({
      ...({ kind: 'count' } as const),
      ...{ start, length, ...rankRange(reader, query.subarray(start, start + length)) },
    }));
    return proveShard(reader, { query, statements, documents: false });
  });
  return { ...shown, proofs };
}

test('a named token that a dispute does not count is taken for as rare as can be', () => {
  begin({ spansMax: 1 });
  const honest = claimOf([HONEY]);
  const claimId = submit(honest);
  const message = dispute(claimId, honest, countingOnly(BREAD, honest, 1));
  const said = expectRefused(loop.challenger, message, 'not-convicted');
  expect(said).toContain('a span that is named up to');
});

test('a dispute pays for the work of its proofs, of every shard', () => {
  const at = (gasPerHash: number) => {
    begin({ gasPerHash });
    const claim = claimOf([HONEY, TEA]);
    const claimId = submit(claim);
    const found = omissionIn(claim);
    const { gasUsed } = deliverOk(loop.chain, loop.challenger, dispute(claimId, claim, found));
    return { gasUsed, claim, found };
  };
  // Both take one byte in the parameters, whose reading costs gas.
  const [{ gasUsed, claim, found }, dear] = [at(30), at(31)];
  const { chunks, hashes } = found.answerProof;
  const answer = committedAnswer(provableContent(ANSWER));
  const about = { token: { spans: claim.token?.spans ?? [] }, answer, rules: rulesUnder(SHORT) };
  const omitted = omittedPassage(about, found);
  if (typeof omitted === 'string') throw new RangeError(omitted);
  const work = shards.map(({ reader: { commitment } }, i) => {
    const proof = found.proofs[i] ?? new Uint8Array(0);
    return workOfShardProof({ commitment, query: omitted.query, proof }).hashes;
  });
  expect(Math.min(...work)).toBeGreaterThan(0);
  const proved = work.reduce((sum, more) => sum + more, 0);
  expect(dear.gasUsed - gasUsed).toBe(BigInt(2 * chunks.length + hashes.length + proved));
});

test('what goes beyond a sentence is no span', () => {
  expectRefused(loop.attestor, submission(claimOf([`${HONEY}${TEA}`])), 'malformed-claim');
});

test('an owner may choose that what is left out can be disputed: no proofs, no quotations', () => {
  begin({}, true);
  const { chain, payer, attestor } = loop;
  const proved = claimOf([HONEY, TEA, BREAD], true);
  const said = expectRefused(payer, payment({ claim: proved }), 'part-not-allowed');
  expect(said).toContain('only with a bond');
  expectRefused(attestor, submission(proved, { bond: undefined }), 'part-not-allowed');
  const [source] = CONTENTS;
  if (source === undefined) throw new RangeError('no content');
  const quotation = { contributionId: 3n, source, answerOffset: 0, sourceOffset: 0, length: HONEY.length };
  const quoted = Claim.create({ spans: [proveSpan(quotation)] });
  expectRefused(payer, payment({ claim: quoted }), 'part-not-allowed');
  const bonded = claimOf([HONEY, TEA, BREAD]);
  deliverOk(chain, payer, payment({ claimId: submit(bonded) }, bonded));
  begin();
  deliverOk(loop.chain, loop.payer, payment({ claim: claimOf([HONEY, TEA, BREAD], true) }));
  deliverOk(loop.chain, loop.payer, payment({ claim: quoted }, quoted));
});

test('what a claim had to name is by the parameters that it was made under, whatever they are now', () => {
  begin({ spansMax: 1 });
  const honest = claimOf([HONEY]);
  const claimId = submit(honest);
  // By the parameters of now it leaves a passage out.
  const { dispute: later } = foundIn(honest, 64) ?? {};
  expect(later).toBeDefined();
  const exported = loop.chain.app.exportState({});
  const { attribution } = exported.appState;
  const changed = new JsonReader(attribution, 'attribution');
  const params = { ...changed.member('params').object(), spans_max: 64 };
  const sections = {
    ...exported.appState,
    attribution: { ...changed.object(), params, params_version: '2' },
  };
  loop = { ...loop, chain: new TestChain({ accounts: 8, genesis: { sections } }) };
  // What is in the first block is signed with account number 0.
  emptyBlocks(loop, 1);
  const message = dispute(claimId, honest, later ?? omissionIn(honest));
  const said = expectRefused(loop.challenger, message, 'not-convicted');
  expect(said).toContain('a span that is named up to');
});
