import { EventEmitter, once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { fromBase64, toHex, utf8 } from '../../core/bytes.ts';
import { defined, LedgerError } from '../../core/errors.ts';
import { requestHash } from '../../client/content.ts';
import type { SignedVoucher } from '../../client/vouchers/signatures.ts';
import type { ShownLink } from '../../client/vouchers/state.ts';
import { SERVER_LIMITS } from '../../serve/limits.ts';
import { HttpServer } from '../../serve/server.ts';
import type { StreamDesk } from '../../gateway/serve/stream-desk.ts';
import { receiptStatement } from '../../modules/settlement/proof/receipt-statement.ts';
import { verifyEd25519 } from '../../node/crypto/ed25519.ts';
import { sessionSigner } from '../../test/support/channels.ts';
import { GatewayWorld } from '../../test/support/gateway-world.ts';
import { voucherJson } from './infer-body.ts';
import { GatewayMetrics } from './metrics.ts';
import { GATEWAY_ERRORS, gatewayRoutes } from './routes.ts';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()));
});

type Event = Readonly<Record<string, unknown>>;

/** A gateway on a whole chain behind its server. */
async function serve(
  change: Partial<Pick<StreamDesk, 'pay' | 'open'>> & { readonly answerMs?: number } = {},
) {
  const world = await GatewayWorld.start();
  world.isPatient = true;
  const { desk, streams, settler, epochs } = await world.process();
  await settler.observe();
  const { chainId } = world.world.chain;
  const receiptKey = sessionSigner('receipts').key.key;
  const metrics = new GatewayMetrics({
    serving: () => 0,
    receipts: () => 0,
    unclaimed: () => 0n,
    heldRounds: () => 0,
    lostLanes: () => 0,
  });
  const logger = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const stop = new AbortController();
  const fatal: LedgerError[] = [];
  const terms = { chainId, gateway: world.world.gateway.address, denom: 'uopen', receiptKey };
  const routes = gatewayRoutes({
    ...{ desk, epochs, logger, signal: stop.signal, health: () => ({}) },
    streams: {
      open: change.open ?? ((request) => streams.open(request)),
      pay: change.pay ?? ((channel, lane, link) => streams.pay(channel, lane, link)),
    },
    terms: { ...terms, models: [1n], bytesPerToken: 4, tokensAhead: 10 },
    onOutcome: (outcome) => metrics.outcome(outcome),
    onFatal: (error) => fatal.push(error),
  });
  const limits = { ...SERVER_LIMITS, ...(change.answerMs && { answerMs: change.answerMs }) };
  const options = { host: '127.0.0.1', port: 0, limits, errors: GATEWAY_ERRORS };
  const server = new HttpServer({ routes, metrics, logger }, options);
  await server.start();
  stops.push(() => server.stop());
  const post = (path: string, body: object): Promise<Response> =>
    fetch(`${server.url}${path}`, { method: 'POST', body: JSON.stringify(body) });
  const pay = async ({ preimage, index }: ShownLink, lane = 0): Promise<Response> => {
    const link = { channel_id: toHex(world.world.channel), lane, index, preimage: toHex(preimage) };
    return await post('/v1/pay', link);
  };
  return { world, streams, stop, post, pay, fatal, metrics, terms };
}

/** Signs for a stream of a hundred tokens: 1,001 up front, the rest in links of 2. */
async function sign(world: GatewayWorld): Promise<SignedVoucher> {
  const resource = requestHash({ modelId: 1n, prompt: 'why?', nonce: utf8('n') });
  return await world.payer.sign(0, { resource, ceiling: 1_031n, stream: { unit: 2n, links: 15 } });
}

function asked(voucher: SignedVoucher): object {
  const request = { model_id: '1', prompt: 'why?', max_tokens: 100, nonce: toHex(utf8('n')) };
  return { ...request, stream: true, voucher: voucherJson(voucher) };
}

/** Events of an answer, as they come. */
async function* eventsOf(response: Response): AsyncGenerator<Event> {
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  let text = '';
  for await (const part of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const events = (text + part).split('\n\n');
    text = events.pop() ?? '';
    for (const event of events) yield JSON.parse(event.replace(/^data: /, '')) as Event;
  }
  expect(text).toBe('');
}

test('a payer reads pieces, pays for each, and has a signed receipt of all; the voucher gets it again', async () => {
  const { world, post, pay, terms, metrics } = await serve();
  const voucher = await sign(world);
  const events: Event[] = [];
  for await (const event of eventsOf(await post('/v1/infer', asked(voucher)))) {
    events.push(event);
    const link =
      event['due'] === undefined ? undefined : world.payer.linkFor(0, BigInt(String(event['due'])));
    if (link !== undefined) expect(await (await pay(link)).json()).toEqual({ index: link.index });
  }
  const end = events.at(-1) ?? {};
  expect(events.slice(0, -1).map(({ tokens, due }) => [tokens, due])).toEqual(
    [0, 10, 20, 30, 40, 50].map((tokens) => [tokens, `${1_001 + 0.3 * tokens}`]),
  );
  expect(end).toMatchObject({ ended: 'whole', charged: '1016', again: false });
  const [receipt, signature] = [fromBase64(String(end['receipt'])), fromBase64(String(end['signature']))];
  const statement = receiptStatement(terms.chainId, terms.gateway, receipt);
  expect(verifyEd25519(terms.receiptKey, statement, signature)).toBe(true);
  await world.payer.answered(voucher, 1_016n);
  const again = await post('/v1/infer', asked(voucher));
  const answer = events.map(({ text = '' }) => text).join('');
  expect(await again.json()).toEqual({
    answer,
    receipt: end['receipt'],
    signature: end['signature'],
    charged: '1016',
    again: true,
  });
  const counted = await metrics.registry.metrics();
  for (const outcome of ['stream_whole', 'again'])
    expect(counted).toContain(`gateway_serve_outcomes_total{outcome="${outcome}"} 1`);
});

test('who stops paying has what it paid for; who leaves is charged for that, and gets it for the voucher', async () => {
  const { world, streams, post, pay } = await serve();
  const voucher = await sign(world);
  const response = await post('/v1/infer', asked(voucher));
  let text = '';
  for await (const event of eventsOf(response)) {
    if (event['tokens'] === 30) break;
    text += String(event['text']);
    const link = world.payer.linkFor(0, BigInt(String(event['due'])));
    if (link !== undefined) await pay(link);
  }
  // The one that left is being charged: until then its lane is busy.
  let reply = await post('/v1/infer', asked(voucher));
  while (reply.status === 429) reply = await post('/v1/infer', asked(voucher));
  expect(await reply.json()).toMatchObject({ answer: text, charged: '1007', again: true });
  expect(streams.serving).toBe(0);
});

test('links that pay for nothing are refused by name', async () => {
  const { world, post, pay } = await serve();
  const voucher = await sign(world);
  const link = { preimage: new Uint8Array(32), index: 1 };
  const none = await pay(link);
  expect([none.status, await none.json()]).toMatchObject([409, { error: { code: 'gateway.no_stream' } }]);
  const statuses: unknown[] = [];
  for await (const event of eventsOf(await post('/v1/infer', asked(voucher))))
    if (event['tokens'] === 10) {
      const wrong = await pay(link);
      statuses.push(wrong.status, await wrong.json());
      break;
    }
  expect(statuses).toMatchObject([402, { error: { code: 'gateway.invalid_link' } }]);
  const bodies = [{ index: 0 }, { index: 4_097 }, { preimage: '00' }, { lane: -1 }, { channel: 'x' }];
  const right = { channel_id: '00'.repeat(32), lane: 0, index: 1, preimage: '00'.repeat(32) };
  for (const body of bodies) expect((await post('/v1/pay', { ...right, ...body })).status).toBe(400);
});

test.each([
  [{ root: '00' }, 'root'],
  [{ unit: 2 }, 'unit'],
  [{ links: 4_097 }, 'links'],
  [{ link: 1 }, 'no field "link"'],
])('what is wrong with a hash chain is named: %j', async (change, named) => {
  const { world, post } = await serve();
  const { voucher, ...rest } = asked(await sign(world)) as { readonly voucher: Record<string, object> };
  const chain = { ...voucher['hash_chain'], ...change };
  const reply = await post('/v1/infer', { ...rest, voucher: { ...voucher, hash_chain: chain } });
  expect([reply.status, JSON.stringify(await reply.json()).replaceAll('\\"', '"')]).toEqual([
    400,
    expect.stringContaining(named),
  ]);
});

test('a chain without "stream" is refused, and a stream of what is not offered', async () => {
  const { world, post } = await serve();
  const body = asked(await sign(world));
  const codeOf = async (change: object): Promise<unknown> => {
    const { error } = (await (await post('/v1/infer', { ...body, ...change })).json()) as Record<
      string,
      Event
    >;
    return error?.['code'];
  };
  expect(await codeOf({ stream: false })).toBe('gateway.streams_not_served');
  expect(await codeOf({ max_tokens: 101 })).toBe('gateway.ceiling_too_low');
  expect(await codeOf({ model_id: '2' })).toBe('gateway.unknown_model');
  expect(world.inferences).toBe(0);
});

test('a gateway that stops ends its streams, charged for what was paid', async () => {
  const { world, post, pay, stop } = await serve();
  const voucher = await sign(world);
  const events: Event[] = [];
  for await (const event of eventsOf(await post('/v1/infer', asked(voucher)))) {
    events.push(event);
    if (event['due'] === undefined) continue;
    const link = world.payer.linkFor(0, BigInt(String(event['due'])));
    if (event['tokens'] === 20) stop.abort();
    else if (link !== undefined) await pay(link);
  }
  expect(events.at(-1)).toMatchObject({ ended: 'left', charged: '1004' });
});

test.each([
  ['gateway.disk', 1],
  ['vouchers.disk', 1],
  ['vouchers.conflict', 0],
])(
  'a stream or link that fails with %s breaks off; a disk’s failure ends the process',
  async (code, ends) => {
    const failure = new LedgerError(code, 'it failed');
    const run = (): Promise<never> => Promise.reject(failure);
    const { world, post, pay, fatal } = await serve({
      pay: run,
      open: async () => ({ kind: 'stream', run }),
    });
    const broken = post('/v1/infer', asked(await sign(world))).then((response) => response.text());
    await expect(broken).rejects.toThrow();
    expect((await pay({ preimage: new Uint8Array(32), index: 1 })).status).toBe(503);
    expect(fatal).toEqual(Array.from({ length: 2 * ends }, () => failure));
  },
);

test('a stream that opens when its client was told to come again ends, and leaves its place', async () => {
  let streams: StreamDesk | undefined;
  const told = new EventEmitter();
  const gateway = await serve({
    answerMs: 20,
    open: async (request) => {
      await once(told, 'told');
      return await defined(streams, 'streams').open(request);
    },
  });
  ({ streams } = gateway);
  const voucher = await sign(gateway.world);
  const late = await gateway.post('/v1/infer', asked(voucher));
  expect(late.status).toBe(504);
  told.emit('told');
  while (!(await gateway.metrics.registry.metrics()).includes('stream_left')) await setImmediate();
  expect([streams.serving, gateway.world.inferences]).toEqual([0, 0]);
  // The voucher is as good as before.
  const { resource } = voucher.voucher;
  const again = { modelId: 1n, prompt: utf8('why?'), tokensOutMax: 100, resource, voucher };
  expect((await streams.open(again)).kind).toBe('stream');
});
