/** Claims as `attest serve` hands them out, on a chain: each is taken in the way that the answer names. */
import { afterEach, expect, test } from 'vitest';
import type { QueryClient } from '@cosmjs/stargate';
import { HeadLibrary } from '../../attest/serve/head-library.ts';
import { influencePart } from '../../attest/serve/influence-part.ts';
import type { ServeChain } from '../../attest/serve/ports.ts';
import { attestService } from '../../attest/serve/service.ts';
import { ShardLibrary } from '../../attest/serve/shard-library.ts';
import { AttestChain } from '../../cli/attest/chain.ts';
import type { Connection } from '../../client/index.ts';
import { setupOpenLedgerExtension } from '../../client/queries.ts';
import { fromBase64, toHex, utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { type AttributionErrorName, attributionErrors } from '../../modules/attribution/errors.ts';
import { encodeCard } from '../../modules/attribution/proof/influence/card.ts';
import { provableContent } from '../../modules/attribution/verify.ts';
import { Answer, Claim, type ClaimRecord } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import * as attributionQuery from '../../proto/gen/openledger/attribution/v1/query.ts';
import * as wire from '../../proto/gen/openledger/attribution/v1/tx.ts';
import { AttributionMethod, type AttributionPolicy } from '../../proto/gen/openledger/models/v1/models.ts';
import { MsgPayInference } from '../../proto/gen/openledger/payments/v1/tx.ts';
import {
  ask,
  type AttributionLoop,
  attributionLoop,
  emptyBlocks,
  publishIndexOk,
  responseOf,
  SHORT,
  shardOf,
} from '../support/attribution-world.ts';
import { contribute, createDatanet, deliver, deliverOk, registerModel } from '../support/economic-loop.ts';
import { type SmallHead, smallHead } from '../support/head-world.ts';
import { anyOf, type TestAccount } from '../support/test-chain.ts';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()));
});

const ALL: AttributionPolicy = {
  tokenBps: 5000,
  influenceBps: 2000,
  retrievalBps: 3000,
  bondedClaimsOnly: false,
};
const INFLUENCE_ONLY: AttributionPolicy = {
  ...{ tokenBps: 0, influenceBps: 10_000, retrievalBps: 0, bondedClaimsOnly: false },
};
const QUOTED = 'They said: jefferson said that the jefferson state of the union is strong.';
const BOND = { denom: 'uopen', amount: '200' };
const INFLUENCE = { features: [120, 90], label: 1 };
const ITEM = { contribution_id: '2', first_chunk: 0, chunks: 2, weight: 3 };
const RETRIEVAL = { snapshot_id: '1', items: [ITEM] };

/** A chain whose model 2 has a policy, with an index and a card of it that are active and served. */
interface World {
  readonly loop: AttributionLoop;
  readonly head: SmallHead;
  readonly chain: ServeChain;
  readonly url: string;
}

interface Setting {
  /** False: another has the card's leaves. */
  readonly isServed?: boolean;
  /** False: windows are still open. */
  readonly isActive?: boolean;
}

async function world(
  policy: AttributionPolicy,
  { isServed = true, isActive = true }: Setting = {},
): Promise<World> {
  const loop = attributionLoop();
  const { seller } = loop;
  const change = {
    attributionMethod: AttributionMethod.ATTRIBUTION_METHOD_POLICY,
    attributionPolicy: policy,
  };
  deliverOk(loop.chain, seller, registerModel(seller, change));
  const shard = shardOf(loop);
  publishIndexOk(loop, loop.attestor, [shard.commitment]);
  const head = smallHead({ datanetId: 1n, snapshotCount: 2n, contributionIds: [1n, 2n] });
  if (policy.influenceBps > 0) publishCard(loop, head);
  if (isActive) emptyBlocks(loop, SHORT.challengeBlocks);
  const chain = chainOf(loop);
  const { server } = attestService(
    {
      library: new ShardLibrary([shard]),
      heads: new HeadLibrary(isServed ? [head.card] : []),
      chain,
      logger: { info: () => undefined, warn: () => undefined },
    },
    { host: '127.0.0.1', port: 0 },
  );
  await server.start();
  stops.push(() => server.stop());
  return { loop, head, chain, url: server.url };
}

function publishCard({ chain, seller }: AttributionLoop, head: SmallHead): void {
  const message = wire.MsgPublishModelCard.create({
    publisher: seller.address,
    modelId: 2n,
    card: encodeCard(head.card.card),
    bond: { denom: 'uopen', amount: '1000' },
    endpoint: 'http://127.0.0.1:8790',
  });
  deliverOk(chain, seller, anyOf(wire.MsgPublishModelCard, message));
}

/** What the program asks a node, asked of the chain of a test. */
function chainOf({ chain }: AttributionLoop): AttestChain {
  const base = {
    async queryAbci(path: string, data: Uint8Array) {
      const { code, log, value } = chain.rawQuery(path, data);
      if (code !== 0) throw new Error(log);
      return { value };
    },
  } as unknown as QueryClient;
  return new AttestChain({ queries: setupOpenLedgerExtension(base) } as unknown as Connection);
}

/** Requests so far: each has a hash of its own. */
let requests = 0;

interface Made {
  readonly requestHash: Uint8Array;
  readonly answer: Answer;
  readonly claim: Claim;
  readonly said: {
    readonly submission: string;
    readonly bond: unknown;
    readonly parts: readonly {
      readonly part: string;
      readonly basis_points: number;
      readonly made: boolean;
      readonly note: string | null;
    }[];
    readonly influence: {
      readonly label: number;
      readonly contributions: readonly { readonly id: string }[];
    } | null;
  };
}

async function post({ url }: World, fields: object): Promise<Response> {
  const body = JSON.stringify({ model_id: '2', text: QUOTED, ...fields });
  return await fetch(`${url}/v1/attribute`, { method: 'POST', body });
}

async function attributed(at: World, fields: object = {}): Promise<Made> {
  const requestHash = sha256(utf8(`request ${++requests}`));
  const response = await post(at, { request_hash: toHex(requestHash), ...fields });
  const said = JSON.parse(await response.text());
  expect(response.status, JSON.stringify(said)).toBe(200);
  return {
    ...{ said, requestHash },
    answer: Answer.decode(fromBase64(said.answer)),
    claim: Claim.decode(fromBase64(said.claim)),
  };
}

/** Whether each part is made, with the beginning of its note. */
const outcomes = ({ said }: Made): readonly string[] =>
  said.parts.map(({ part, made, note }) => `${part} ${made ? 'made' : 'out'}: ${note ?? ''}`);

function submission(by: TestAccount, { loop }: World, made: Made, bonded: boolean): ReturnType<typeof anyOf> {
  return anyOf(
    wire.MsgSubmitClaim,
    wire.MsgSubmitClaim.create({
      ...{ claimant: by.address, modelId: 2n, answer: made.answer, claim: made.claim },
      ...{ payer: loop.payer.address, requestHash: made.requestHash },
      bond: bonded ? BOND : undefined,
    }),
  );
}

function payment(
  { loop }: World,
  { answer, requestHash }: Made,
  by: Partial<MsgPayInference>,
): ReturnType<typeof anyOf> {
  return anyOf(
    MsgPayInference,
    MsgPayInference.create({
      ...{ payer: loop.payer.address, modelId: 2n, requestHash, answer },
      ...{ tokensIn: 20n, tokensOut: 77n, maxFee: { denom: 'uopen', amount: '100000' } },
      ...by,
    }),
  );
}

/** Submits by somebody, and pays; the record of the claim. */
function submitAndPay(at: World, by: TestAccount, made: Made): ClaimRecord {
  const { chain, payer } = at.loop;
  const bonded = made.said.submission === 'submit_with_bond';
  expect(made.said.bond).toEqual(bonded ? BOND : null);
  const { claimId } = responseOf(
    wire.MsgSubmitClaimResponse,
    deliverOk(chain, by, submission(by, at, made, bonded)),
  );
  deliverOk(chain, payer, payment(at, made, { claimId }));
  const types = {
    request: attributionQuery.QueryClaimRequest,
    response: attributionQuery.QueryClaimResponse,
  };
  return ask(at.loop, 'Claim', types, { claimId }).claim;
}

function refused(
  at: World,
  by: TestAccount,
  message: Parameters<typeof deliver>[2],
  why: AttributionErrorName,
): void {
  const { codespace, code, log } = deliver(at.loop.chain, by, message);
  expect([codespace, code], log).toEqual(['attribution', attributionErrors[why].code]);
}

const weightsOf = ({ shares }: ClaimRecord): readonly boolean[] =>
  (['tokenWeight', 'influenceWeight', 'retrievalWeight'] as const).map((part) =>
    shares.some((share) => share[part] > 0n),
  );

test('one claim has every part that the model pays for, and is taken as the answer says', async () => {
  const at = await world(ALL);
  const { seller } = at.loop;
  const made = await attributed(at, {
    ...{ influence: INFLUENCE, retrieval: RETRIEVAL, claimant: seller.address },
  });
  expect(outcomes(made)).toEqual([
    'token made: ',
    'influence made: ',
    `retrieval made: only ${seller.address}, who owns model 2, may say what it retrieved: the claimant of ` +
      'MsgSubmitClaim has to be that account',
  ]);
  expect(made.said.parts.map(({ basis_points }) => basis_points)).toEqual([5000, 2000, 3000]);
  expect(made.said.submission).toBe('submit_with_bond');
  expect(made.claim.token?.proofs).toEqual([]);
  expect(made.said.influence?.contributions.length).toBeGreaterThan(0);
  refused(at, at.loop.attestor, submission(at.loop.attestor, at, made, true), 'part-not-allowed');
  refused(at, seller, submission(seller, at, made, false), 'malformed-proof');
  const record = submitAndPay(at, seller, made);
  expect(weightsOf(record)).toEqual([true, true, true]);
  expect(record).toMatchObject({ cardId: 1n, indexIds: [1n], requestHash: made.requestHash });
  const text = await (await fetch(`${at.url}/metrics`)).text();
  expect(text).toContain('attest_serve_parts_total{part="influence",outcome="made"} 1');
});

test('each set of parts has its own way to the chain', async () => {
  const at = await world(ALL);
  const { seller, attestor, payer } = at.loop;

  const tokens = await attributed(at);
  expect([tokens.said.submission, tokens.claim.token?.proofs.length]).toEqual(['payment', 1]);
  expect(outcomes(tokens)).toEqual([
    'token made: ',
    expect.stringContaining('influence out: the request has no features'),
    expect.stringContaining('retrieval out: the request has no "retrieval"'),
  ]);
  deliverOk(at.loop.chain, payer, payment(at, tokens, { claim: tokens.claim }));

  const retrieved = await attributed(at, { retrieval: { items: [ITEM] }, private: true });
  expect([retrieved.said.submission, retrieved.answer.content.length]).toEqual(['submit', 0]);
  refused(at, payer, payment(at, retrieved, { claim: retrieved.claim }), 'part-not-allowed');
  expect(weightsOf(submitAndPay(at, seller, retrieved))).toEqual([true, false, true]);

  const influence = await attributed(at, { influence: { features: 'eFo=', card_id: '1' } });
  // What the head answers, where the request does not say what was answered.
  const labels = [
    [200, 60],
    [60, 190],
  ].map(async (features) => {
    const { said } = await attributed(at, { influence: { features } });
    return said.influence?.label;
  });
  expect(await Promise.all(labels)).toEqual([1, 0]);
  expect(influence.said.submission).toBe('submit_with_bond');
  expect(weightsOf(submitAndPay(at, attestor, influence))).toEqual([true, true, false]);

  const optimistic = await attributed(at, { optimistic: true });
  expect(weightsOf(submitAndPay(at, attestor, optimistic))).toEqual([true, false, false]);

  const nothing = await attributed(at, { text: 'no word of it' });
  expect([nothing.said.submission, nothing.claim]).toEqual(['payment', Claim.create()]);
  expect(outcomes(nothing)[0]).toBe('token out: no passage of the answer is in what is indexed here');
  deliverOk(at.loop.chain, payer, payment(at, nothing, { claim: nothing.claim }));

  const alone = await attributed(at, {
    text: 'no word',
    optimistic: true,
    retrieval: RETRIEVAL,
  });
  expect(alone.said.submission).toBe('submit');
  expect(weightsOf(submitAndPay(at, seller, alone))).toEqual([false, false, true]);
});

test('what cannot be stated is left out, and the answer says why', async () => {
  const at = await world(ALL);
  const { payer } = at.loop;
  const others = await attributed(at, {
    ...{ influence: { ...INFLUENCE, card_id: 7 }, retrieval: RETRIEVAL },
    claimant: payer.address,
  });
  expect(outcomes(others).slice(1)).toEqual([
    'influence out: model card 7 is not active or not served here (active cards of model 2: 1; served here: 1)',
    expect.stringContaining(`may say what it retrieved; ${payer.address} is another account`),
  ]);
  expect([others.said.submission, others.claim.retrieval]).toEqual(['payment', undefined]);

  const unserved = await world({ ...ALL, influenceBps: 5000, retrievalBps: 0 }, { isServed: false });
  const without = await attributed(unserved, { influence: INFLUENCE, retrieval: RETRIEVAL });
  expect(outcomes(without).slice(1)).toEqual([
    expect.stringMatching(
      /^influence out: no active card .* \(active cards of model 2: 1; served here: none\)/,
    ),
    'retrieval out: the model pays nothing for retrieval; what the request says of it is not used',
  ]);
  const metrics = await (await fetch(`${unserved.url}/metrics`)).text();
  expect(metrics).toContain('attest_serve_parts_total{part="influence",outcome="left_out"} 1');
  expect(metrics).not.toContain('part="retrieval"');
});

test('influence is stated by active cards only, and where it is somebody’s', async () => {
  const pending = await attributed(await world(INFLUENCE_ONLY, { isActive: false }), {
    influence: INFLUENCE,
  });
  expect(outcomes(pending)[1]).toContain('(active cards of model 2: none; served here: none)');
  expect(pending.claim).toEqual(Claim.create());
  const { chain, head } = await world(INFLUENCE_ONLY);
  const scope = await chain.scopeOf(2n);
  if (scope === undefined) throw new Error('there is a model 2');
  const ask = async () => ({ ...head.claim.claim, groups: [] });
  const features = Uint8Array.of(120, 90);
  expect(await influencePart({ card: () => head.card, ask }, { features }, scope)).toEqual({
    stated: undefined,
    note: 'by model card 1 no contribution made class 1 more likely',
  });
});

test('of several cards that are active and served, the newest is asked, or the one that is named', async () => {
  const { chain, head } = await world(INFLUENCE_ONLY);
  const scope = await chain.scopeOf(2n);
  if (scope === undefined) throw new Error('there is a model 2');
  const card = { id: 1n, key: 'a' };
  const cards = [card, { id: 2n, key: 'b' }, { id: 3n, key: 'elsewhere' }];
  const heads = {
    card: (key: string) => (key === 'elsewhere' ? undefined : head.card),
    ask: async () => head.claim.claim,
  };
  const chosen = async (cardId?: bigint) => {
    const order = { features: Uint8Array.of(120, 90), ...(cardId === undefined ? {} : { cardId }) };
    return (await influencePart(heads, order, { ...scope, cards })).stated?.statement.cardId;
  };
  expect([await chosen(), await chosen(1n), await chosen(3n)]).toEqual([2n, 1n, undefined]);
});

test('a model that pays for influence alone needs no index, and its answer may stay private', async () => {
  const at = await world(INFLUENCE_ONLY);
  const made = await attributed(at, { influence: INFLUENCE, text: 'class 1', private: true });
  expect(outcomes(made)).toEqual([
    'token out: the model pays nothing for token',
    'influence made: ',
    'retrieval out: the model pays nothing for retrieval',
  ]);
  expect([made.answer.root.length, made.claim.token]).toEqual([32, undefined]);
  expect(weightsOf(submitAndPay(at, at.loop.attestor, made))).toEqual([false, true, false]);
});

test('where the model takes bonded claims only, provenance has no proofs', async () => {
  const at = await world({ ...ALL, bondedClaimsOnly: true });
  const made = await attributed(at);
  expect([made.said.submission, made.claim.token?.proofs]).toEqual(['submit_with_bond', []]);
  submitAndPay(at, at.loop.attestor, made);
});

test('what the chain would refuse is refused in words', async () => {
  const at = await world(ALL);
  const request_hash = toHex(sha256(utf8('request')));
  const items = (...changes: object[]) => ({
    retrieval: { items: changes.map((one) => ({ ...ITEM, ...one })) },
  });
  // Contribution 3 comes after the snapshot, 4 is the first of another Datanet.
  const { chain, owner, first } = at.loop;
  deliverOk(chain, first, contribute(first, provableContent(utf8('too late'))));
  deliverOk(chain, owner, createDatanet(owner, { slug: 'another' }));
  deliverOk(chain, first, contribute(first, provableContent(utf8('elsewhere')), { datanetId: 2n }));
  const many = Array.from({ length: 65 }, (_, i) => ({ first_chunk: i, chunks: 1 }));
  const cases: readonly (readonly [object, string])[] = [
    [{ influence: 3 }, 'influence must be an object'],
    [{ influence: { features: [1, 256] } }, 'features must be a list of bytes'],
    [{ influence: { features: [1] } }, 'influence: 1 features; this card takes 2'],
    [{ influence: { ...INFLUENCE, label: 2 } }, 'label is 2; this card has classes 0 to 1'],
    [{ influence: { ...INFLUENCE, label: -1 } }, 'label must be a whole number'],
    [{ influence: { ...INFLUENCE, card_id: 'x' } }, 'card_id must be the id'],
    [{ retrieval: [] }, 'retrieval must be an object'],
    [{ retrieval: {} }, 'items must be a list'],
    [{ retrieval: { items: [3] } }, 'item 0 must be an object'],
    [{ ...items({ weight: 0 }) }, 'item 0: weight must be a whole number from 1'],
    [{ ...items({}, { chunks: 1.5 }) }, 'item 1: chunks must be a whole number'],
    [{ ...items({ contribution_id: -1 }) }, 'item 0: contribution_id'],
    [{ retrieval: RETRIEVAL }, 'give request_hash'],
    [{ retrieval: RETRIEVAL, request_hash: '00' }, 'request_hash must be 64 hexadecimal digits'],
    [{ retrieval: { ...RETRIEVAL, snapshot_id: 9 }, request_hash }, 'no snapshot 9; model 2 has 1'],
    [{ ...items(), request_hash }, '0 items, must be 1 to 64'],
    [{ ...items(...many), request_hash }, '65 items, must be 1 to 64'],
    [{ ...items({}, { first_chunk: 1 }), request_hash }, 'overlaps'],
    [{ ...items({ contribution_id: 3, chunks: 1 }), request_hash }, 'contribution 3 is not in snapshot 1'],
    [{ ...items({ contribution_id: 4, chunks: 1 }), request_hash }, 'contribution 4 is not in snapshot 1'],
    [{ ...items({ contribution_id: 5 }), request_hash }, 'contribution 5 is not in snapshot 1'],
    [{ ...items({ chunks: 4 }), request_hash }, 'contribution 2 has 3 chunks, not 4'],
    [{ claimant: 3 }, 'claimant must be the address'],
  ];
  for (const [fields, words] of cases) {
    const response = await post(at, fields);
    const text = await response.text();
    expect([response.status, text], JSON.stringify(fields)).toEqual([400, expect.stringContaining(words)]);
  }
  // In any order: they are sorted.
  const sorted = await attributed(at, { ...items({}, { contribution_id: 1 }), request_hash });
  expect(sorted.claim.retrieval?.items.map(({ contributionId }) => contributionId)).toEqual([1n, 2n]);
});
