/** Influence on threads: the same bytes as without, and a server that goes on meanwhile. */
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, test } from 'vitest';
import { openPiece } from '../../../attest/influence/open-piece.ts';
import { Answerer } from '../../../attest/serve/answerer.ts';
import { takingChain } from '../../../attest/serve/testing/answer-chain.ts';
import { HeadLibrary } from '../../../attest/serve/head-library.ts';
import { engineHere, type InfluenceEngine } from '../../../attest/serve/influence-engine.ts';
import {
  InfluencePool,
  influenceThread,
  POOL_LIMITS,
  type WorkThread,
} from '../../../attest/serve/influence-pool.ts';
import { workCardOf } from '../../../attest/serve/influence-work.ts';
import {
  openPacked,
  packClaim,
  packedBytes,
  packedCoordinates,
  packedLeaves,
} from '../../../attest/serve/packed-claim.ts';
import type { ServeChain } from '../../../attest/serve/ports.ts';
import { attestService } from '../../../attest/serve/service.ts';
import { policyChain, smallLibrary } from '../../../attest/serve/testing/library.ts';
import type { HeldWorkerData } from '../../../attest/serve/testing/held-worker.ts';
import { toBase64, toHex } from '../../../core/bytes.ts';
import { LedgerError } from '../../../core/errors.ts';
import { cardId } from '../../../modules/attribution/proof/influence/card.ts';
import { claimId, decodeClaim, encodeClaim } from '../../../modules/attribution/proof/influence/claim.ts';
import { INFLUENCE_TREES } from '../../../modules/attribution/proof/influence/trees.ts';
import { smallHead } from '../../support/head-world.ts';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const options = { datanetId: 1n, snapshotCount: 3n, contributionIds: [1n, 2n, 3n] };
const QUIET = { info: () => undefined, warn: () => undefined };

async function poolOf(startThread: () => WorkThread, workers = 1): Promise<InfluencePool> {
  const pool = new InfluencePool({ startThread, onRestart: () => undefined }, { ...POOL_LIMITS, workers });
  stops.push(() => pool.stop());
  await pool.start();
  return pool;
}

describe.each(['head', 'adapter'] as const)('%s', (kind) => {
  const { card, claim } = smallHead({ ...options, kind });
  const work = [workCardOf(card)];
  const key = toHex(cardId(card.card));
  const statement = encodeClaim(claim.claim);

  test('threads say what the library says, to the byte', async () => {
    const pool = await poolOf(() => influenceThread(work), 2);
    const here = engineHere(work);
    const { query } = claim.claim;
    const questions = Array.from({ length: 12 }, (_, i) => ({
      input: { features: Uint8Array.of(21 * i, 250 - 17 * i, 255), offsets: query.offsets },
      label: [0, 1, undefined][i % 3],
    }));
    const asked = { input: { features: query.features, offsets: query.offsets }, label: query.label };
    expect(await pool.ask(key, asked)).toEqual(statement);
    const said = await Promise.all(questions.map((question) => pool.ask(key, question)));
    expect(said).toEqual(await Promise.all(questions.map((question) => here.ask(key, question))));
    expect(new Set(said.map((each) => toHex(each))).size).toBe(12);
    const packed = packClaim(claim);
    expect([await pool.claim(statement), await here.claim(statement)]).toEqual([packed, packed]);
    const other = { ...claim.claim, roots: { ...claim.claim.roots, sums: new Uint8Array(32) } };
    expect(await pool.claim(encodeClaim(other))).toBeUndefined();
    expect(pool.counts).toMatchObject({ workers: 2, running: 0, computed: 15, restarts: 0 });
    expect(pool.counts.seconds).toBeGreaterThan(0);
    // A card that is not there is a mistake of ours: a thread survives it.
    await expect(pool.ask('ff', asked)).rejects.toThrow('head ff');
    expect(await pool.ask(key, asked)).toEqual(statement);
  });

  test('packed leaves are those of the claim, and open as they do', () => {
    const packed = packClaim(claim);
    const { solution, effects, sums } = claim;
    const all = (leaves: readonly unknown[]): readonly number[] => leaves.map((_, i) => i);
    for (const [name, { leaves }] of Object.entries({ solution, effects, sums })) {
      const tree = name as 'solution' | 'effects' | 'sums';
      expect(packedLeaves(packed, tree, all(leaves))).toEqual(leaves.map((leaf) => new Uint8Array(leaf)));
      for (const chunk of all(leaves)) {
        const place = { tree: INFLUENCE_TREES[tree], document: 0, chunk };
        expect(openPacked(packed, place)).toEqual(openPiece(claim, place));
      }
    }
    for (const [node, leaves] of sums.coordinates.entries()) {
      expect(packedCoordinates(packed, node, all(leaves))).toEqual(
        leaves.map((leaf) => new Uint8Array(leaf)),
      );
      const place = { tree: INFLUENCE_TREES.coordinates, document: node, chunk: leaves.length - 1 };
      expect(openPacked(packed, place)).toEqual(openPiece(claim, place));
    }
    const bytes = [solution, effects, sums].flatMap(({ leaves }) => leaves).concat(...sums.coordinates);
    expect(packedBytes(packed)).toBe(bytes.reduce((sum, { length }) => sum + length + 8, 0));
    for (const tree of [INFLUENCE_TREES.solution, INFLUENCE_TREES.weights, INFLUENCE_TREES.coordinates])
      expect(() => openPacked(packed, { tree, document: 99, chunk: 99 })).toThrow();
  });
});

const { card, claim } = smallHead(options);
const key = toHex(cardId(card.card));
const work = [workCardOf(card)];

/** A chain whose model pays for tokens and influence. */
function chainOf(library: ReturnType<typeof smallLibrary>): ServeChain {
  const base = policyChain(library.list().map(({ reader }) => reader.commitment));
  const attributionPolicy = { tokenBps: 5000, influenceBps: 5000, retrievalBps: 0, bondedClaimsOnly: false };
  return {
    ...base,
    async scopeOf(modelId) {
      const scope = await base.scopeOf(modelId);
      return scope && { ...scope, model: { ...scope.model, attributionPolicy }, cards: [{ id: 1n, key }] };
    },
  };
}

async function serve(heads: HeadLibrary, limits = {}): Promise<string> {
  const library = smallLibrary();
  const parts = { library, heads, chain: chainOf(library), logger: QUIET };
  const { server } = attestService(parts, { host: '127.0.0.1', port: 0, limits });
  await server.start();
  stops.push(() => server.stop());
  return server.url;
}

const INFLUENCE = { influence: { features: [120, 90], label: 1 } };
const TEXT = 'They said: go to the moon in this decade and do the other. Yes.';

async function attribute(
  url: string,
  fields: object = {},
): Promise<readonly [number, string, string | null]> {
  const body = JSON.stringify({ model_id: '1', text: TEXT, ...fields });
  const response = await fetch(`${url}/v1/attribute`, { method: 'POST', body });
  return [response.status, await response.text(), response.headers.get('retry-after')];
}

test('while influence is computed, tokens, health, leaves of cards and requests on the chain are answered', async () => {
  const held = new SharedArrayBuffer(4);
  const data: HeldWorkerData = { cards: work, held };
  const script = new URL('../../../attest/serve/testing/held-worker.ts', import.meta.url);
  const pool = await poolOf(() => new Worker(script, { workerData: data }));
  const heads = new HeadLibrary([card], { engine: pool });
  // One attribution at a time, and none waits.
  const url = await serve(heads, { attributionsMax: 1, waitingMax: 0 });
  const order: string[] = [];
  const done = async <T>(name: string, task: Promise<T>): Promise<T> => {
    const result = await task;
    order.push(name);
    return result;
  };
  const began = new Promise<void>((resolve) => {
    const { ask } = pool;
    pool.ask = (...args) => {
      const asked = ask.apply(pool, args);
      resolve();
      return asked;
    };
  });
  const influence = done('influence', attribute(url, INFLUENCE));
  await began;
  const [status, tokens] = await done('tokens', attribute(url));
  expect([status, tokens]).toEqual([
    200,
    expect.stringContaining('"part":"token","basis_points":5000,"made":true'),
  ]);
  expect((await done('health', fetch(`${url}/v1/health`))).status).toBe(200);
  expect((await done('leaves', fetch(`${url}/v1/cards/${key}/leaves/examples`))).status).toBe(200);
  const metrics = await (await fetch(`${url}/metrics`)).text();
  expect(metrics).toContain('attest_serve_influence_running 1');
  expect(metrics).toContain('attest_serve_attributions_running 0');
  const answerer = new Answerer({
    chain: takingChain(() => [
      {
        id: 1n,
        deadline: 1n,
        of: 'card',
        key,
        place: { tree: INFLUENCE_TREES.groups, document: 0, chunk: 0 },
      },
    ]),
    ...{ library: smallLibrary(), heads, logger: QUIET },
    metrics: { chunkRequest: (outcome) => void order.push(outcome) },
  });
  await answerer.round();
  Atomics.store(new Int32Array(held), 0, 1);
  Atomics.notify(new Int32Array(held), 0);
  const [found, said] = await influence;
  expect([found, said]).toEqual([
    200,
    expect.stringContaining('"part":"influence","basis_points":5000,"made":true'),
  ]);
  expect(order).toEqual(['tokens', 'health', 'leaves', 'answered', 'influence']);
});

test('what waits for a thread is dropped when its client leaves', async () => {
  const held = new SharedArrayBuffer(4);
  const data: HeldWorkerData = { cards: work, held };
  const script = new URL('../../../attest/serve/testing/held-worker.ts', import.meta.url);
  const pool = await poolOf(() => new Worker(script, { workerData: data }));
  const url = await serve(new HeadLibrary([card], { engine: pool }));
  const until = async (name: 'running' | 'waiting', count: number): Promise<void> => {
    while (pool.counts[name] !== count) await new Promise((ok) => setImmediate(ok));
  };
  const first = attribute(url, INFLUENCE);
  await until('running', 1);
  const leaving = new AbortController();
  const body = JSON.stringify({ model_id: '1', text: TEXT, ...INFLUENCE });
  const second = fetch(`${url}/v1/attribute`, { method: 'POST', body, signal: leaving.signal });
  await until('waiting', 1);
  leaving.abort();
  await expect(second).rejects.toThrow();
  await until('waiting', 0);
  Atomics.store(new Int32Array(held), 0, 1);
  Atomics.notify(new Int32Array(held), 0);
  expect((await first)[0]).toBe(200);
  expect(pool.counts).toMatchObject({ running: 0, waiting: 0, computed: 1 });
});

test('what an engine refuses has its status, and the server goes on', async () => {
  const cases = [
    ['attest.busy', 503, '1', 'too many'],
    ['attest.timeout', 504, null, 'too late'],
    ['attest.worker', 500, null, 'a thread ended'],
    ['attest.internal', 500, null, 'its log says which'],
  ] as const;
  let code = '';
  let words = '';
  const refuse = async (): Promise<never> => {
    throw new LedgerError(code, words);
  };
  const engine: InfluenceEngine = { ask: refuse, claim: refuse, counts: engineHere([]).counts };
  const heads = new HeadLibrary([card], { engine });
  heads.expect([encodeClaim(claim.claim)]);
  const url = await serve(heads, { attributionsMax: 1, waitingMax: 0 });
  for (const [each, status, retryAfter, sentence] of cases) {
    code = each;
    words = sentence;
    expect(await attribute(url, INFLUENCE)).toEqual([status, expect.stringContaining(sentence), retryAfter]);
    const leaves = await fetch(`${url}/v1/claims/${toHex(claimId(claim.claim))}/leaves/effects`);
    expect([leaves.status, await leaves.text()]).toEqual([status, expect.stringContaining(sentence)]);
    expect((await attribute(url))[0]).toBe(200);
  }
});

/** A server whose node answers when it is told to, and how often its head was asked. */
async function heldNode(limits: object) {
  const here = engineHere(work);
  const seen = { asks: 0 };
  const engine: InfluenceEngine = {
    ...here,
    counts: here.counts,
    ask(...args) {
      seen.asks++;
      return here.ask(...args);
    },
  };
  let go = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    go = resolve;
  });
  const library = smallLibrary();
  const chain = chainOf(library);
  const scopeOf: ServeChain['scopeOf'] = (id) => held.then(() => chain.scopeOf(id));
  const { server, metrics } = attestService(
    { library, heads: new HeadLibrary([card], { engine }), chain: { ...chain, scopeOf }, logger: QUIET },
    { host: '127.0.0.1', port: 0, limits },
  );
  await server.start();
  stops.push(() => server.stop());
  const counted = async (words: string): Promise<void> => {
    while (!(await metrics.registry.metrics()).includes(words)) await new Promise((ok) => setImmediate(ok));
  };
  return { url: server.url, seen, go, counted };
}

test('for those that hang up nothing is computed, and an address has its share', async () => {
  const { url, seen, go, counted } = await heldNode({ attributionsMax: 2 });
  const leaving = new AbortController();
  const { signal } = leaving;
  const body = JSON.stringify({ model_id: '1', text: TEXT, ...INFLUENCE });
  const asked = Array.from({ length: 8 }, () =>
    fetch(`${url}/v1/attribute`, { method: 'POST', body, signal }).then(
      ({ status }) => status,
      () => 'left',
    ),
  );
  await counted('attributions_waiting 6');
  const [status, words, retryAfter] = await attribute(url, INFLUENCE);
  expect([status, retryAfter]).toEqual([429, '1']);
  expect(words).toContain('8 attributions are made for your address already');
  leaving.abort();
  expect(await Promise.all(asked)).toEqual(Array.from({ length: 8 }, () => 'left'));
  // Two are made, of which the node is asked; the server has seen that the others are gone.
  await counted('status="499"} 6');
  go();
  await counted('status="499"} 8');
  expect(seen.asks).toBe(0);
  expect((await attribute(url, INFLUENCE))[0]).toBe(200);
  expect(seen.asks).toBe(1);
});

test('for those that were told that it takes too long nothing is computed', async () => {
  const { url, seen, go, counted } = await heldNode({ requestMs: 200 });
  expect((await attribute(url, INFLUENCE))[0]).toBe(504);
  await counted('attributions_running 1');
  go();
  await counted('attributions_running 0');
  expect(seen.asks).toBe(0);
});

test('a claim over HTTP is what the library makes', async () => {
  const pool = await poolOf(() => influenceThread(work));
  const [, byThread] = await attribute(await serve(new HeadLibrary([card], { engine: pool })), INFLUENCE);
  const [, byLibrary] = await attribute(await serve(new HeadLibrary([card])), INFLUENCE);
  expect(byThread).toBe(byLibrary);
  expect(JSON.parse(byThread)['claim']).toBeTypeOf('string');
});

/** Statements of claims about so many queries. */
async function statementsOf(count: number): Promise<readonly Uint8Array[]> {
  const heads = new HeadLibrary([card]);
  const made: Uint8Array[] = [];
  for (let i = 0; i < count; i++) {
    const said = await heads.ask(key, { features: Uint8Array.of(10 * i, 200 - 9 * i), label: 1 });
    if (said !== undefined) made.push(encodeClaim(said));
  }
  return made;
}

test('leaves of a claim are computed once for all who ask, and kept within so many bytes', async () => {
  const statements = await statementsOf(3);
  const keys = statements.map((statement) => toHex(claimId(decodeClaim(statement))));
  const [first = '', second = '', third = ''] = keys;
  const here = engineHere(work);
  const computed: string[] = [];
  const engine: InfluenceEngine = {
    ...here,
    counts: here.counts,
    async claim(statement) {
      computed.push(toHex(claimId(decodeClaim(statement))));
      return await here.claim(statement);
    },
  };
  const bytes = packedBytes(packClaim(claim));
  const heads = new HeadLibrary([card], { engine, keptBytesMax: 2 * bytes });
  heads.expect(statements);
  const together = await Promise.all([heads.claim(first), heads.claim(first)]);
  expect([together[0] === together[1], computed]).toEqual([true, [first]]);
  await heads.claim(second);
  await heads.claim(first);
  expect([computed, heads.keptBytes]).toEqual([[first, second], 2 * bytes]);
  // The second was asked for longest ago.
  await heads.claim(third);
  await heads.claim(first);
  expect([computed, heads.keptBytes]).toEqual([[first, second, third], 2 * bytes]);
  await heads.claim(second);
  expect(computed).toEqual([first, second, third, second]);
  heads.expect(statements.slice(0, 1));
  expect(heads.keptBytes).toBe(bytes);
  // Over while it was computed: not kept.
  heads.expect(statements);
  const late = heads.claim(third);
  heads.expect([]);
  expect([(await late)?.counts, heads.keptBytes]).toEqual([packClaim(claim).counts, 0]);

  const small = new HeadLibrary([card], { engine, keptBytesMax: 0 });
  small.expect(statements);
  await small.claim(first);
  await small.claim(first);
  expect([computed.slice(5), small.keptBytes]).toEqual([[first], bytes]);
});

test('what could not be computed is computed when it is asked for again', async () => {
  const statement = encodeClaim(claim.claim);
  const here = engineHere(work);
  let isDown = true;
  const engine: InfluenceEngine = {
    ...here,
    counts: here.counts,
    async claim(given) {
      if (isDown) throw new LedgerError('attest.worker', 'a thread ended');
      return await here.claim(given);
    },
  };
  const heads = new HeadLibrary([card], { engine });
  heads.expect([statement]);
  const id = toHex(claimId(claim.claim));
  await expect(heads.claim(id)).rejects.toThrow('a thread ended');
  isDown = false;
  expect(toBase64((await heads.claim(id))?.bytes ?? new Uint8Array(0))).toBe(
    toBase64(packClaim(claim).bytes),
  );
});
