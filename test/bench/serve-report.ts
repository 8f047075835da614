/** `--only serve`: attributions over HTTP beside an echo of the same sizes and the library alone. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { Attributor } from '../../attest/serve/attribute.ts';
import { HeadLibrary } from '../../attest/serve/head-library.ts';
import { InfluencePool, influenceThread, POOL_LIMITS } from '../../attest/serve/influence-pool.ts';
import { engineHere } from '../../attest/serve/influence-engine.ts';
import { workCardOf } from '../../attest/serve/influence-work.ts';
import { SERVE_LIMITS } from '../../attest/serve/limits.ts';
import { orderOf } from '../../attest/serve/order.ts';
import type { ServeChain } from '../../attest/serve/ports.ts';
import { attestService } from '../../attest/serve/service.ts';
import { ShardLibrary } from '../../attest/serve/shard-library.ts';
import { policyChain } from '../../attest/serve/testing/library.ts';
import type { ServedCard } from '../../attest/influence/published.ts';
import { certify } from '../../attest/influence/certificate.ts';
import { trainHead } from '../../attest/influence/train.ts';
import { trainingSet } from '../../attest/influence/training-set.ts';
import { toBase64, toHex, utf8 } from '../../core/bytes.ts';
import { cardId } from '../../modules/attribution/proof/influence/card.ts';
import type { AttributionPolicy } from '../../proto/gen/openledger/models/v1/models.ts';
import { CLASSES, loadDigits, randomFrom, splitDigits } from '../attribution/fidelity/digits.ts';
import { Random } from '../fuzz/random.ts';
import type { LoadOrder, LoadResult } from './load-worker.ts';
import { percentile } from './percentile.ts';
import { megabytes, type Report } from './report.ts';
import { allMails, drawOutput, indexMails } from './trace-material.ts';

/** Bytes of mails that make four million tokens. */
const CORPUS_BYTES = 10_500_000;
const OUTPUTS = 500;
const SECONDS = 5;
/** The last is more than may wait. */
const CONNECTIONS: readonly number[] = [1, 8, 64, 160];
/** An influence part takes the server's thread for long. */
const INFLUENCE_CONNECTIONS: readonly number[] = [1, 8];
/** Connections of both loads at the same time. */
const BESIDE = { tokens: 8, influence: 2 } as const;
const HALF = 5_000;
/** Pooled images of 7 × 7, five thousand of them. */
const HEAD = { side: 7, train: 5000, test: 100 } as const;
const LAMBDA = 2 ** 14;
/** As behind a proxy: the load comes from one address. */
const LIMITS = { connectionsPerAddressMax: SERVE_LIMITS.connectionsMax };
/** How long a node is taken to need for what an attribution asks it. */
const CHAIN_MS = 5;
const HOST = '127.0.0.1';
const QUIET = { info: () => undefined, warn: () => undefined };

/** One load. */
interface ServeRow extends Pick<LoadResult, 'busy' | 'failed' | 'answerBytes'> {
  readonly name: string;
  readonly connections: number;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  /** Processor time of the server's thread, an answer's mean. */
  readonly cpu: number;
}

/** Loads a server of four million tokens, and one of a head. */
export async function reportServe(report: Report): Promise<readonly ServeRow[]> {
  const material = indexMails(allMails(), CORPUS_BYTES);
  const library = new ShardLibrary([material.shard]);
  report.note(`indexed ${megabytes(material.text.length)} MB: ${material.shard.tokens} tokens`);
  const random = new Random(1);
  const bodies = Array.from({ length: OUTPUTS }, () => bodyOf({}, drawOutput(material, random)));
  const chain = policyChain([material.shard.commitment]);
  const tokens = await served(report, 'tokens', {
    ...{ library, heads: new HeadLibrary(), chain, bodies, connections: CONNECTIONS },
  });
  report.note('training a head');
  const asked = influenceCase();
  const influence = await served(report, 'influence', {
    ...{ library: new ShardLibrary(), heads: new HeadLibrary([asked.card]) },
    chain: withCard(policyChain([]), asked.card, 0),
    ...{ bodies: asked.bodies, connections: INFLUENCE_CONNECTIONS },
  });
  const both = withCard(chain, asked.card, HALF);
  const beside = await besideInfluence(report, asked, { library, chain: both, bodies });
  return [...tokens, ...influence, ...beside];
}

/** A head and queries to it. */
interface InfluenceCase {
  readonly card: ServedCard;
  readonly bodies: readonly Uint8Array[];
}

interface ServedCase {
  readonly library: ShardLibrary;
  readonly heads: HeadLibrary;
  readonly chain: ServeChain;
  readonly bodies: readonly Uint8Array[];
  readonly connections: readonly number[];
}

/** Over HTTP, then the two limits. */
async function served(
  { row }: Report,
  what: string,
  { library, heads, chain, bodies, connections }: ServedCase,
): Promise<readonly ServeRow[]> {
  const node: ServeChain = { ...chain, scopeOf: lateScopeOf(chain) };
  const { server } = attestService(
    { library, heads, chain: node, logger: QUIET },
    { host: HOST, port: 0, limits: LIMITS },
  );
  await server.start();
  const url = `${server.url}/v1/attribute`;
  await load({ url, bodies, connections: 1, seconds: 1 });
  const rows: ServeRow[] = [];
  for (const each of connections)
    rows.push(
      rowOf(`attest/serve/${what}`, each, await load({ url, bodies, connections: each, seconds: SECONDS })),
    );
  await server.stop();
  const answerBytes = rows[0]?.answerBytes ?? 0;
  rows.push(...(await echoed(what, { bodies, connections, answerBytes })));
  rows.push(await alone(`attest/serve/${what}/library`, new Attributor({ library, heads, chain }), bodies));
  for (const { name, connections: at, perSecond, p50, p99, cpu, busy, failed } of rows)
    row(
      name,
      { connections: at },
      `${perSecond.toFixed(0)} a second, p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms, ${busy} of 503, ` +
        `${failed} failed; ${cpu.toFixed(2)} ms of processor time an answer`,
    );
  const sent = bodies.reduce((sum, body) => sum + body.length, 0) / bodies.length;
  row(
    `attest/serve/${what}/bytes`,
    {},
    `${sent.toFixed(0)} of a request, ${answerBytes} of an answer, means`,
  );
  return rows;
}

/** As long as a node needs. */
function lateScopeOf(chain: ServeChain): ServeChain['scopeOf'] {
  return async (modelId) => {
    await delay(CHAIN_MS);
    return await chain.scopeOf(modelId);
  };
}

/** The same load on a server that reads each body and answers as many bytes. */
async function echoed(
  what: string,
  {
    bodies,
    connections,
    answerBytes,
  }: Pick<ServedCase, 'bodies' | 'connections'> & { readonly answerBytes: number },
): Promise<readonly ServeRow[]> {
  const answer = Buffer.alloc(answerBytes, 'a');
  const server = createServer((request, response) => {
    request.on('data', () => undefined);
    request.on('end', () => {
      response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': answer.length });
      response.end(answer);
    });
  });
  server.listen(0, HOST);
  await once(server, 'listening');
  const url = `http://${HOST}:${portOf(server)}`;
  await load({ url, bodies, connections: 1, seconds: 1 });
  const rows: ServeRow[] = [];
  for (const each of connections)
    rows.push(
      rowOf(
        `attest/serve/${what}/echo`,
        each,
        await load({ url, bodies, connections: each, seconds: SECONDS }),
      ),
    );
  server.close();
  return rows;
}

/** The library without HTTP, one after another. */
async function alone(name: string, attributor: Attributor, bodies: readonly Uint8Array[]): Promise<ServeRow> {
  const times: number[] = [];
  const before = process.threadCpuUsage();
  const begun = performance.now();
  let seconds = 0;
  for (let i = 0; seconds < SECONDS; i++) {
    const from = performance.now();
    await attributor.attribute(orderOf(bodies[i % bodies.length] ?? new Uint8Array(0)));
    times.push(performance.now() - from);
    seconds = (performance.now() - begun) / 1000;
  }
  const none = { busy: 0, failed: 0, answerBytes: 0 };
  return rowOf(name, 1, { seconds, times, ...none, cpuMs: cpuSince(before) });
}

/** Tokens with nothing beside them, then with influence on the server's thread and on another one. */
async function besideInfluence(
  { row }: Report,
  { card, bodies: queries }: InfluenceCase,
  { library, chain, bodies }: Pick<ServedCase, 'library' | 'chain' | 'bodies'>,
): Promise<readonly ServeRow[]> {
  const work = [workCardOf(card)];
  const pool = new InfluencePool(
    { startThread: () => influenceThread(work), onRestart: () => undefined },
    { ...POOL_LIMITS, workers: 1 },
  );
  await pool.start();
  const rows: ServeRow[] = [];
  for (const [name, engine, asking] of [
    ['none', pool, false],
    ['same-thread', engineHere(work), true],
    ['worker', pool, true],
  ] as const) {
    const heads = new HeadLibrary([card], { engine });
    const { server } = attestService(
      { library, heads, chain: { ...chain, scopeOf: lateScopeOf(chain) }, logger: QUIET },
      { host: HOST, port: 0, limits: LIMITS },
    );
    await server.start();
    const order = { url: `${server.url}/v1/attribute`, seconds: SECONDS };
    await load({ ...order, bodies: asking ? queries : bodies, connections: 1, seconds: 1 });
    const [tokens, influence] = await Promise.all([
      load({ ...order, bodies, connections: BESIDE.tokens }),
      asking ? load({ ...order, bodies: queries, connections: BESIDE.influence }) : undefined,
    ]);
    await server.stop();
    const measured = rowOf(`attest/serve/beside/${name}`, BESIDE.tokens, tokens);
    rows.push(measured);
    const { perSecond, p50, p99, busy, failed } = measured;
    const queried = influence?.times.length ?? 0;
    row(
      measured.name,
      { connections: BESIDE.tokens },
      `${perSecond.toFixed(0)} of tokens a second, p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, ${busy} of 503, ` +
        `${failed} failed; beside them ${(queried / SECONDS).toFixed(1)} of influence a second`,
    );
  }
  await pool.stop();
  return rows;
}

/** A head of digits, by which queries are about images that it was not trained on. */
function influenceCase(): InfluenceCase {
  const split = splitDigits(loadDigits(), { ...HEAD, random: randomFrom(1) });
  const head = trainHead(trainingSet(split.train, CLASSES), { lambda: LAMBDA });
  const card = certify(head, { datanetId: 1n, snapshotCount: 2n ** 20n, extractor: new Uint8Array(32) });
  const bodies = split.test.map(({ features, label }) =>
    bodyOf({ influence: { features: toBase64(Uint8Array.from(features)), label } }, utf8(`class ${label}`)),
  );
  return { card, bodies };
}

/** The model pays so many basis points for tokens, the others for influence. */
function withCard(chain: ServeChain, { card }: ServedCard, tokenBps: number): ServeChain {
  const policy: AttributionPolicy = {
    ...{ tokenBps, influenceBps: 2 * HALF - tokenBps, retrievalBps: 0, bondedClaimsOnly: false },
  };
  return {
    ...chain,
    async scopeOf(modelId) {
      const scope = await chain.scopeOf(modelId);
      const cards = [{ id: 1n, key: toHex(cardId(card)) }];
      return scope && { ...scope, model: { ...scope.model, attributionPolicy: policy }, cards };
    },
  };
}

function bodyOf(fields: object, text: Uint8Array): Uint8Array {
  return utf8(JSON.stringify({ model_id: '1', text_base64: toBase64(text), ...fields }));
}

function rowOf(name: string, connections: number, { times, seconds, cpuMs, ...counts }: Measured): ServeRow {
  const perSecond = times.length / seconds;
  const { busy, failed, answerBytes } = counts;
  return {
    ...{ name, connections, perSecond, busy, failed, answerBytes },
    ...{ p50: percentile(times, 0.5), p99: percentile(times, 0.99) },
    cpu: cpuMs / times.length,
  };
}

/** A load, and the processor time of this thread meanwhile. */
interface Measured extends LoadResult {
  readonly cpuMs: number;
}

/** From a thread of its own. */
async function load(order: LoadOrder): Promise<Measured> {
  const before = process.threadCpuUsage();
  const worker = new Worker(new URL('./load-worker.ts', import.meta.url), { workerData: order });
  const [result]: LoadResult[] = await once(worker, 'message');
  if (result === undefined) throw new Error('the load ended without a result');
  return { ...result, cpuMs: cpuSince(before) };
}

function cpuSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
