import { request as httpRequest } from 'node:http';
import { afterEach, expect, test, vi } from 'vitest';
import { fromBase64, toHex, utf8 } from '../../core/bytes.ts';
import { contentRoot, problemOfClaim } from '../../modules/attribution/verify.ts';
import { Answer, Claim } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { Snapshot } from '../../proto/gen/openledger/datanet/v1/datanet.ts';
import { treeOfShard } from '../../modules/attribution/proof/shard/commitment.ts';
import { problemOfProofs, problemOfTexts } from '../../modules/attribution/proof/provenance.ts';
import { committedRoot } from '../../modules/attribution/proof/tree.ts';
import { textDocument } from '../testing/naive-shard.ts';
import { SERVE_LIMITS, type ServeLimits } from './limits.ts';
import { orderOf } from './order.ts';
import type { AttributionScope, ServeChain } from './ports.ts';
import { attestService } from './service.ts';
import { ShardLibrary } from './shard-library.ts';
import { policyChain, smallChain, smallLibrary, TEXTS } from './testing/library.ts';
import { ATTRIBUTION_PARAMS } from './testing/params.ts';

const stops: (() => Promise<void>)[] = [];

afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()));
});

interface Setting {
  readonly chain?: ServeChain;
  readonly library?: ShardLibrary;
  readonly limits?: Partial<ServeLimits>;
}

async function serve({
  chain = smallChain(),
  library = smallLibrary(),
  limits = {},
}: Setting = {}): Promise<string> {
  const logger = { info: () => undefined, warn: () => undefined };
  const { server } = attestService({ library, chain, logger }, { host: '127.0.0.1', port: 0, limits });
  await server.start();
  stops.push(() => server.stop());
  return server.url;
}

const ask = (url: string, body: unknown): Promise<Response> =>
  fetch(`${url}/v1/attribute`, { method: 'POST', body: JSON.stringify(body) });

const QUOTED = 'go to the moon in this decade and do the other';
const answer = `They said: ${QUOTED}. Yes.`;

async function claimFrom(response: Response): Promise<{ readonly answer: Answer; readonly claim: Claim }> {
  const { answer: given, claim } = (await response.json()) as Record<string, string>;
  return { answer: Answer.decode(fromBase64(given ?? '')), claim: Claim.decode(fromBase64(claim ?? '')) };
}

const sourceOf = (id: bigint) => {
  const { root, byteLength } = textDocument(1, TEXTS[Number(id) - 1] ?? '');
  return { root, byteLength };
};
const limits = { ...ATTRIBUTION_PARAMS, answerBytesMax: Number(ATTRIBUTION_PARAMS.answerBytesMax) };

test('an answer becomes a claim that the published verifier accepts', async () => {
  const url = await serve();
  for (const isPrivate of [false, true]) {
    const response = await ask(url, { model_id: '1', text: answer, private: isPrivate });
    expect(response.status).toBe(200);
    const prepared = await claimFrom(response);
    expect(problemOfClaim(prepared, limits, sourceOf)).toBeUndefined();
    expect(prepared.answer.content.length > 0).toBe(!isPrivate);
    const [span] = prepared.claim.spans;
    const from = Number(span?.answerOffset);
    expect(answer.slice(from, from + (span?.length ?? 0))).toContain('moon in this decade');
    expect(prepared.claim.spans.map(({ contributionId }) => contributionId)).toEqual([1n]);
  }
});

test('a claim needs an index of each snapshot, and of two Datanets none that is salted', async () => {
  const secret = utf8('a secret of sixteen');
  const two: AttributionScope['snapshots'] = [1n, 2n].map((id) =>
    Snapshot.create({ id, datanetId: id, count: BigInt(TEXTS.length) }),
  );
  for (const [saltSecret, snapshots, missing] of [
    [undefined, two.slice(0, 1), undefined],
    [secret, two.slice(0, 1), undefined],
    [undefined, two, '2'],
    [secret, two, '1, 2'],
  ] as const) {
    const library = smallLibrary(saltSecret);
    const chain = policyChain(library.list().map(({ reader }) => reader.commitment));
    const model = { snapshotIds: snapshots.map(({ id }) => id) };
    const url = await serve({
      library,
      chain: {
        ...chain,
        async scopeOf(modelId) {
          const scope = await chain.scopeOf(modelId);
          return scope && { ...scope, snapshots, model: { ...scope.model, ...model } };
        },
      },
    });
    const reply = await ask(url, { model_id: '1', text: answer });
    const said = await reply.text();
    if (missing === undefined) expect(reply.status, said).toBe(200);
    else expect(said).toContain(`without an active index that is served here (${missing})`);
  }
});

test('where a policy pays for provenance, the claim names all places of a passage, and proves them', async () => {
  const library = smallLibrary();
  const commitments = library.list().map(({ reader }) => reader.commitment);
  const url = await serve({ library, chain: policyChain(commitments) });
  const shards = commitments.map((commitment, i) => ({ id: BigInt(5 + i), commitment }));
  const contributionOf = (_: unknown, document: number): bigint => BigInt(document + 1);
  for (const isPrivate of [false, true]) {
    const response = await ask(url, { model_id: '1', text: answer, private: isPrivate });
    const prepared = await claimFrom(response);
    const { token } = prepared.claim;
    if (token === undefined) throw new Error('the claim has provenance');
    expect(token.indexIds).toEqual([7n]);
    expect(problemOfTexts(token, prepared.answer)).toBeUndefined();
    expect(problemOfProofs(token, shards, contributionOf)).toBeUndefined();
    expect(token.spans.flatMap(({ hits }) => hits)).toMatchObject([{ shardId: 5n, contributionIds: [1n] }]);
  }
  const optimistic = await claimFrom(await ask(url, { model_id: '1', text: answer, optimistic: true }));
  expect([optimistic.claim.token?.spans.length, optimistic.claim.token?.proofs]).toEqual([1, []]);
  const nothing = await claimFrom(await ask(url, { model_id: '1', text: 'no word of it' }));
  expect(nothing.claim).toEqual(Claim.create());
  const elsewhere = smallLibrary(Uint8Array.of(1))
    .list()
    .map(({ reader }) => reader.commitment);
  const refused = await ask(await serve({ library, chain: policyChain(elsewhere) }), {
    model_id: 1,
    text: answer,
  });
  expect([refused.status, await refused.text()]).toEqual([
    409,
    expect.stringContaining('without an active index'),
  ]);
});

test('what is not in the snapshots of the model is not quoted', async () => {
  const { claim } = await claimFrom(
    await ask(await serve({ chain: smallChain(0) }), { model_id: 1, text: answer }).then(async (response) => {
      expect(response.status).toBe(409);
      expect(await response.text()).toContain('no shard of the snapshots of model 1');
      return await ask(await serve({ chain: smallChain(1) }), { model_id: 1, text: TEXTS[1] });
    }),
  );
  expect(claim.spans).toEqual([]);
});

test('leaves and nodes lead to the roots of the commitment, and contents to theirs', async () => {
  const library = smallLibrary();
  const url = await serve({ library });
  const [shard] = library.list();
  if (shard === undefined) throw new Error('the library has a shard');
  const { commitment } = shard.reader;
  for (const tree of ['text', 'suffix', 'inverse', 'documents'] as const) {
    const committed = treeOfShard(commitment, tree);
    const level = Math.ceil(Math.log2(committed.leaves));
    const node = await fetch(`${url}/v1/shards/${shard.key}/nodes/${tree}/${level}`);
    const root = new Uint8Array(await node.arrayBuffer());
    expect(committedRoot({ ...committed, root })).toEqual(committed.root);
    const served = await fetch(`${url}/v1/shards/${shard.key}/leaves/${tree}?from=1&count=1000`);
    const bytes = Buffer.from(await served.arrayBuffer());
    for (let at = 0, i = 1; at < bytes.length; i++) {
      const end = at + 4 + bytes.readUInt32BE(at);
      expect(new Uint8Array(bytes.subarray(at + 4, end))).toEqual(shard.reader.leaf(tree, i));
      at = end;
    }
  }
  for (const text of TEXTS) {
    const response = await fetch(`${url}/v1/contents/${toHex(contentRoot(utf8(text)))}`);
    expect(await response.text()).toBe(text);
  }
});

test('a salted shard shows neither its leaves nor its texts', async () => {
  const library = smallLibrary(Uint8Array.of(1));
  const url = await serve({ library });
  const key = library.list()[0]?.key ?? '';
  for (const path of [`shards/${key}/leaves/text`, `shards/${key}/nodes/suffix/0`])
    expect((await fetch(`${url}/v1/${path}`)).status).toBe(403);
  expect((await fetch(`${url}/v1/contents/${toHex(contentRoot(utf8(TEXTS[0] ?? '')))}`)).status).toBe(404);
});

test('a salted shard hides no text that an open one holds, whichever of them came first', async () => {
  const readers = [smallLibrary(), smallLibrary(Uint8Array.of(1))].flatMap((library) =>
    library.list().map(({ reader }) => reader),
  );
  for (const order of [readers, readers.toReversed()]) {
    const url = await serve({ library: new ShardLibrary(order) });
    const response = await fetch(`${url}/v1/contents/${toHex(contentRoot(utf8(TEXTS[0] ?? '')))}`);
    expect([response.status, await response.text()]).toEqual([200, TEXTS[0]]);
  }
});

test('what is wrong with a request is said', async () => {
  const url = await serve({ limits: { bodyBytesMax: 300 } });
  const cases: readonly (readonly [string, RequestInit, number, string])[] = [
    ['/v1/attribute', { method: 'POST', body: 'no' }, 400, 'not JSON'],
    ['/v1/attribute', { method: 'POST', body: '[]' }, 400, 'must be an object'],
    ['/v1/attribute', { method: 'POST', body: '{"text": "a"}' }, 400, 'model_id'],
    ['/v1/attribute', { method: 'POST', body: '{"model_id": 1}' }, 400, 'one of both'],
    ['/v1/attribute', { method: 'POST', body: '{"model_id": 1, "txet": "a"}' }, 400, 'no field \\"txet\\"'],
    ['/v1/attribute', { method: 'POST', body: '{"model_id": 9, "text": "a"}' }, 404, 'no model 9'],
    ['/v1/attribute', { method: 'POST', body: 'x'.repeat(301) }, 413, 'longer than 300'],
    ['/v1/attribute', {}, 400, 'takes POST'],
    ['/v1/nothing', {}, 404, 'GET /v1/health'],
    ['/v1/shards/00', {}, 404, '/v1/shards lists them'],
    [`/v1/${'x'.repeat(2000)}`, {}, 400, 'longer than 1024'],
  ];
  for (const [path, init, status, words] of cases) {
    const response = await fetch(`${url}${path}`, init);
    expect([path, response.status]).toEqual([path, status]);
    expect(await response.text()).toContain(words);
  }
});

test('a field that means nothing is named, wherever it is', () => {
  const body = { model_id: '1', text: 'a' };
  const item = { contribution_id: '2', first_chunk: 0, chunks: 2, weight: 3 };
  const cases: readonly (readonly [object, string])[] = [
    [{ infleunce: {} }, 'there is no field "infleunce"; there are model_id, text'],
    [{ influence: { features: [1], lable: 1 } }, 'influence: there is no field "lable"'],
    [{ retrieval: { items: [], snapshot: '1' } }, 'retrieval: there is no field "snapshot"'],
    [{ retrieval: { items: [item, { ...item, wieght: 1 }] } }, 'item 1: there is no field "wieght"'],
  ];
  for (const [fields, words] of cases)
    expect(() => orderOf(utf8(JSON.stringify({ ...body, ...fields })))).toThrow(words);
});

test('who comes when the queue is full is told when to come again; the others get their answers', async () => {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  let asked = 0;
  let reached = (): void => undefined;
  const chain = smallChain();
  const slow: ServeChain = {
    ...chain,
    scopeOf: async (id) => {
      if (++asked === 1) reached();
      await opened;
      return await chain.scopeOf(id);
    },
  };
  const url = await serve({ chain: slow, limits: { attributionsMax: 1, waitingMax: 1 } });
  const first = new Promise<void>((resolve) => {
    reached = resolve;
  });
  const one = ask(url, { model_id: 1, text: answer });
  await first;
  // The second waits and a third is turned away, whichever of them arrives first.
  const both = [ask(url, { model_id: 1, text: answer }), ask(url, { model_id: 1, text: answer })];
  const refused = await Promise.race(both);
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
  expect(await (await fetch(`${url}/metrics`)).text()).toContain('attest_serve_attributions_waiting 1');
  const unread = await fetch(`${url}/v1/attribute`, { method: 'POST', body: 'not JSON' });
  expect(unread.status, 'a body is read in its turn only').toBe(503);
  open();
  const statuses = (await Promise.all([one, ...both])).map(({ status }) => status);
  expect(statuses.sort((a, b) => a - b)).toEqual([200, 200, 503]);
});

test('a request that takes too long is ended', async () => {
  // By hand: the time is over when the chain was asked, however long that took.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const asked = Promise.withResolvers<void>();
    const scopeOf = () => {
      asked.resolve();
      return new Promise<undefined>(() => undefined);
    };
    const url = await serve({ chain: { ...smallChain(), scopeOf } });
    const response = ask(url, { model_id: 1, text: answer });
    await asked.promise;
    vi.advanceTimersByTime(SERVE_LIMITS.requestMs);
    expect((await response).status).toBe(504);
  } finally {
    vi.useRealTimers();
  }
});

test('a client that goes away harms nobody', async () => {
  const url = await serve();
  await new Promise<void>((resolve) => {
    const cut = httpRequest(`${url}/v1/attribute`, { method: 'POST', headers: { 'content-length': 100 } });
    cut.on('error', () => resolve());
    cut.write('{', () => cut.destroy());
    cut.on('close', () => resolve());
  });
  expect((await fetch(`${url}/v1/health`)).status).toBe(200);
});
