import { afterEach, expect, test } from 'vitest';
import { fromBase64, toBase64, toHex, utf8 } from '../../core/bytes.ts';
import { LedgerError } from '../../core/errors.ts';
import { requestHash } from '../../client/content.ts';
import type { SignedVoucher } from '../../client/vouchers/signatures.ts';
import { SERVER_LIMITS } from '../../serve/limits.ts';
import { HttpServer } from '../../serve/server.ts';
import type { InferenceDesk } from '../../gateway/serve/desk.ts';
import type { KeptEpochs } from '../../gateway/serve/kept-epochs.ts';
import { receiptStatement } from '../../modules/settlement/proof/receipt-statement.ts';
import { verifyEd25519 } from '../../node/crypto/ed25519.ts';
import { GatewayWorld } from '../../test/support/gateway-world.ts';
import { sessionSigner } from '../../test/support/channels.ts';
import { voucherJson } from './infer-body.ts';
import { GatewayMetrics } from './metrics.ts';
import { GATEWAY_ERRORS, gatewayRoutes } from './routes.ts';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()));
});

interface Reply {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** A gateway on a whole chain behind its server. */
async function serve(broken?: InferenceDesk['answer'], served?: KeptEpochs['served']) {
  const world = await GatewayWorld.start();
  const { desk, streams, settler, epochs, receipts } = await world.process();
  await settler.observe();
  const { chainId } = world.world.chain;
  const gateway = world.world.gateway.address;
  const receiptKey = sessionSigner('receipts').key.key;
  const gauges = { serving: () => desk.serving, receipts: () => receipts.count };
  const metrics = new GatewayMetrics({
    ...gauges,
    unclaimed: () => settler.unclaimed,
    heldRounds: () => settler.heldRounds,
    lostLanes: () => settler.lostLanes,
  });
  const logger = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const fatal: LedgerError[] = [];
  const routes = gatewayRoutes({
    desk: broken === undefined ? desk : { priceOf: (request) => desk.priceOf(request), answer: broken },
    epochs: served === undefined ? epochs : { served },
    terms: { chainId, gateway, denom: 'uopen', receiptKey, models: [1n], bytesPerToken: 4, tokensAhead: 10 },
    ...{ streams, logger, signal: new AbortController().signal },
    health: () => ({}),
    onOutcome: (outcome) => metrics.outcome(outcome),
    onFatal: (error) => fatal.push(error),
  });
  const options = { host: '127.0.0.1', port: 0, limits: SERVER_LIMITS, errors: GATEWAY_ERRORS };
  const server = new HttpServer({ routes, metrics, logger }, options);
  await server.start();
  stops.push(() => server.stop());
  const infer = async (body: unknown): Promise<Reply> => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const response = await fetch(`${server.url}/v1/infer`, { method: 'POST', body: text });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  return { world, settler, infer, url: server.url, fatal, receiptKey, gateway, chainId };
}

const ASKED = { model_id: '1', prompt: 'why?', max_tokens: 100 };

function nonceOf(text: string): string {
  return toHex(utf8(text));
}

async function voucherFor(
  world: GatewayWorld,
  { lane = 0, nonce = 'n', ceiling = 1_500n } = {},
): Promise<SignedVoucher> {
  const resource = requestHash({ modelId: 1n, prompt: ASKED.prompt, nonce: utf8(nonce) });
  return await world.payer.sign(lane, { resource, ceiling });
}

const codeOf = ({ body }: Reply): unknown => (body['error'] as Record<string, unknown> | undefined)?.['code'];

test('who sends no voucher is told the price and whom to pay', async () => {
  const { infer, receiptKey, gateway, chainId } = await serve();
  const { status, body } = await infer(ASKED);
  expect(status).toBe(402);
  expect(body).toMatchObject({
    error: { code: 'gateway.payment_required' },
    ...{ ceiling_min: '1031', chain_id: chainId, gateway, denom: 'uopen', models: ['1'] },
    receipt_key: toBase64(receiptKey),
  });
  expect(codeOf(await infer({ ...ASKED, model_id: '2' }))).toBe('gateway.unknown_model');
});

test('a voucher buys an answer with a signed receipt, and the same one gets it again at no cost', async () => {
  const { world, infer, receiptKey, gateway, chainId, url } = await serve();
  const voucher = voucherJson(await voucherFor(world));
  const paid = { ...ASKED, nonce: nonceOf('n'), voucher };
  const first = await infer(paid);
  expect(first).toMatchObject({ status: 200, body: { charged: '1016', again: false } });
  expect(first.body['answer']).toBe(`${toHex(utf8('why?'))} answered 0`);
  const receipt = fromBase64(String(first.body['receipt']));
  const signature = fromBase64(String(first.body['signature']));
  expect(verifyEd25519(receiptKey, receiptStatement(chainId, gateway, receipt), signature)).toBe(true);
  expect(await infer(paid)).toEqual({ status: 200, body: { ...first.body, again: true } });
  expect(world.inferences).toBe(1);
  const metrics = await (await fetch(`${url}/metrics`)).text();
  for (const outcome of ['answered', 'again'])
    expect(metrics).toContain(`gateway_serve_outcomes_total{outcome="${outcome}"} 1`);
  expect(metrics).toContain('gateway_serve_unclaimed 1016');
});

test('a voucher that begins elsewhere is told where its lane ends, by the payer’s own last voucher', async () => {
  const { world, infer } = await serve();
  const last = voucherJson(await voucherFor(world));
  await infer({ ...ASKED, nonce: nonceOf('n'), voucher: last });
  const stale = {
    ...ASKED,
    nonce: nonceOf('m'),
    voucher: voucherJson(await voucherFor(world, { nonce: 'm' })),
  };
  const { status, body } = await infer(stale);
  expect(status).toBe(409);
  expect(body).toMatchObject({ error: { code: 'gateway.lane' }, lane: { charged: '1016', last } });
  expect(world.inferences).toBe(1);
});

test('what does not pay is refused by name, and costs nothing', async () => {
  const { world, infer } = await serve();
  const low = voucherJson(await voucherFor(world, { ceiling: 1_030n }));
  const ask = (change: object, voucher: object = low) =>
    infer({ ...ASKED, nonce: nonceOf('n'), voucher, ...change });
  expect(await ask({})).toMatchObject({ status: 402, body: { ceiling_min: '1031' } });
  expect(codeOf(await ask({}))).toBe('gateway.ceiling_too_low');
  expect(codeOf(await ask({ nonce: '00' }))).toBe('gateway.wrong_resource');
  expect(codeOf(await ask({ prompt: 'what?' }))).toBe('gateway.wrong_resource');
  const long = await ask({ prompt: 'x'.repeat(1_001) });
  expect([long.status, codeOf(long)]).toEqual([413, 'gateway.prompt_too_long']);
  const forged = { ...low, ceiling: '1500', cumulative: '1500' };
  expect(codeOf(await ask({}, forged))).toBe('gateway.invalid_signature');
  const foreign = await ask({}, { ...low, channel_id: '00'.repeat(32) });
  expect([foreign.status, codeOf(foreign)]).toEqual([402, 'gateway.unknown_channel']);
  expect(world.inferences).toBe(0);
});

test.each([
  ['{', 'not JSON'],
  [[], 'must be an object'],
  [{ ...ASKED, model_id: 1 }, 'model_id'],
  [{ ...ASKED, prompt: '' }, 'prompt'],
  [{ ...ASKED, max_tokens: 0 }, 'max_tokens'],
  [{ ...ASKED, max_token: 1 }, 'no field "max_token"'],
  [{ ...ASKED, voucher: {} }, 'nonce'],
  [{ ...ASKED, nonce: '00', voucher: { chain: 1 } }, 'no field "chain"'],
  [{ ...ASKED, stream: 1 }, 'stream'],
  [{ ...ASKED, nonce: '00', voucher: { form: 'text' } }, 'form'],
  [{ ...ASKED, nonce: '00', voucher: {} }, 'channel_id'],
])('what is wrong with a body is named: %j', async (body, named) => {
  const { infer } = await serve();
  const reply = await infer(body);
  expect([reply.status, codeOf(reply)]).toEqual([400, 'gateway.request']);
  expect(JSON.stringify(reply.body).replaceAll('\\"', '"')).toContain(named);
});

test('epochs that were stated are served, what is not there is 404', async () => {
  const { world, settler, infer, url } = await serve();
  await infer({ ...ASKED, nonce: nonceOf('n'), voucher: voucherJson(await voucherFor(world)) });
  await settler.round();
  const get = (path: string): Promise<Response> => fetch(`${url}/v1/epochs/${path}`);
  const served = await get('1/receipts?from=0&count=1');
  expect(served.status).toBe(200);
  expect((await served.arrayBuffer()).byteLength).toBeGreaterThan(195);
  const statuses = ['1/receipts?from=1&count=1', '9/receipts?from=0&count=1', '1/leaves?from=0&count=1'];
  expect(await Promise.all(statuses.map(async (path) => (await get(path)).status))).toEqual([404, 404, 400]);
  expect((await get(`1/attributions/${'00'.repeat(32)}`)).status).toBe(404);
});

test.each([
  ['gateway.inference', 502, 'gateway.inference', 0],
  ['gateway.lost', 410, 'gateway.lost', 0],
  ['vouchers.disk', 503, 'gateway.unavailable', 1],
  ['gateway.disk', 503, 'gateway.unavailable', 1],
  ['attest.no_answer', 503, 'gateway.unavailable', 0],
])(
  'an answer that fails with %s is %i; a disk’s failure ends the process',
  async (code, status, said, ends) => {
    const { world, infer, fatal } = await serve(() => Promise.reject(new LedgerError(code, 'it failed')));
    const voucher = voucherJson(await voucherFor(world));
    const reply = await infer({ ...ASKED, nonce: nonceOf('n'), voucher });
    expect([reply.status, codeOf(reply), fatal.length]).toEqual([status, said, ends]);
  },
);

test('an epoch that cannot be built again while the chain does not answer is 502: later', async () => {
  const silent = new LedgerError('attest.chain', 'the node answers with HTTP status 500');
  const { url } = await serve(undefined, () => Promise.reject(silent));
  const reply = await fetch(`${url}/v1/epochs/1/receipts?from=0&count=1`);
  expect([reply.status, await reply.json()]).toEqual([
    502,
    { error: { code: 'gateway.chain', message: 'the node answers with HTTP status 500' } },
  ]);
});
