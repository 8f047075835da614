/** What a gateway serves, by method and path; docs/operations/gateway.md has it for people. */
import { fromUtf8, toBase64 } from '../../core/bytes.ts';
import { LedgerError, messageOf } from '../../core/errors.ts';
import { immutableBytes, json, type Reply, type ServerErrors } from '../../serve/reply.ts';
import type { Route } from '../../serve/route.ts';
import type { DeskRefusal, InferenceDesk, Outcome } from '../../gateway/serve/desk.ts';
import type { KeptEpochs } from '../../gateway/serve/kept-epochs.ts';
import type { GatewayLogger, InferenceRequest } from '../../gateway/serve/ports.ts';
import { serveEpoch } from '../../gateway/serve/serve-epoch.ts';
import type { StreamDesk, StreamEnd } from '../../gateway/serve/stream-desk.ts';
import { inferBodyOf, voucherJson } from './infer-body.ts';
import { isFatal, paidJson, payReply, streamReply } from './stream-routes.ts';

/** Who is paid, and by what: what a payer needs to open a channel and to check receipts. */
export interface GatewayTerms {
  readonly chainId: string;
  readonly gateway: string;
  readonly denom: string;
  /** 32 bytes of ed25519. */
  readonly receiptKey: Uint8Array;
  readonly models: readonly bigint[];
  /** So many bytes of a prompt are a token, begun ones counted. */
  readonly bytesPerToken: number;
  /** Of streams: most tokens that are given and not paid for in a channel's life. */
  readonly tokensAhead: number;
}

/** What routes answer from. */
export interface GatewayRouteParts {
  readonly desk: Pick<InferenceDesk, 'priceOf' | 'answer'>;
  readonly streams: Pick<StreamDesk, 'open' | 'pay'>;
  readonly epochs: Pick<KeptEpochs, 'served'>;
  readonly terms: GatewayTerms;
  readonly logger: GatewayLogger;
  /** Aborted when the process is to stop. Whoever leaves is charged: the answer is kept for the same voucher. */
  readonly signal: AbortSignal;
  readonly health: () => Readonly<Record<string, unknown>>;
  readonly onOutcome: (outcome: OutcomeName) => void;
  /** A disk failed: nothing more may be served by this process. */
  readonly onFatal: (error: LedgerError) => void;
}

/** What became of a request, for metrics. */
export type OutcomeName =
  | 'answered'
  | 'again'
  | 'quoted'
  | 'corrected'
  | 'failed'
  | `stream_${StreamEnd}`
  | DeskRefusal;

/** What refusals mean: 402 what another voucher mends, 429 and 503 what time mends. */
const REFUSED: Readonly<Record<DeskRefusal, readonly [status: number, sentence: string]>> = {
  unknown_channel: [402, 'no channel to this gateway has this id; one that was just opened is seen shortly'],
  stale_chain_state: [503, 'the gateway does not know how the chain stands'],
  channel_being_withdrawn: [402, 'the channel is being withdrawn; open another'],
  channel_closing: [402, 'the gateway has agreed to close the channel; open another'],
  invalid_voucher: [400, 'the voucher has not the form of one'],
  wrong_key_version: [402, 'the channel has another key by now'],
  wrong_resource: [
    402,
    'the voucher is for another request: resource is the hash of model, nonce and prompt',
  ],
  ceiling_too_low: [402, 'the voucher allows for less than the request may cost'],
  deposit_exceeded: [402, 'the deposit of the channel does not cover the voucher; top it up'],
  claim_first: [503, 'much is charged and not claimed yet; the gateway claims first'],
  lane_busy: [429, 'a request of this lane is being answered; use another lane, or wait'],
  invalid_signature: [402, 'the voucher is not signed by the key of the channel'],
  unknown_model: [404, 'the model is not served here'],
  prompt_too_long: [413, 'the prompt is too long'],
  beyond_receipts: [
    400,
    'receipts go up to 2^64 − 1 base units of a lane: sign for less, or on another lane',
  ],
  streams_not_served: [400, 'a voucher with a hash chain pays for a stream; send "stream": true'],
  busy: [503, 'as many requests as may be are being answered'],
};

/** Codes of errors; of the node's answers, status 502. */
export const GATEWAY_ERRORS: ServerErrors = { codespace: 'gateway', statuses: { 'attest.chain': 502 } };

/** All routes but /metrics. */
export function gatewayRoutes(parts: GatewayRouteParts): readonly Route[] {
  const { terms, health } = parts;
  return [
    { method: 'GET', path: '/v1/health', answer: () => json({ status: 'ok', ...health() }) },
    { method: 'GET', path: '/v1/terms', answer: () => json(termsJson(terms)) },
    { method: 'POST', path: '/v1/infer', answer: ({ body }) => infer(parts, body) },
    { method: 'POST', path: '/v1/pay', answer: ({ body }) => payReply(parts, body) },
    {
      method: 'GET',
      path: '/v1/epochs/:id/:tree',
      answer: ({ params: [id, tree], search }) => epoch(parts, `/v1/epochs/${id}/${tree}?${search}`),
    },
    {
      method: 'GET',
      path: '/v1/epochs/:id/attributions/:hash',
      answer: ({ params: [id, hash] }) => epoch(parts, `/v1/epochs/${id}/attributions/${hash}`),
    },
  ];
}

function termsJson(terms: GatewayTerms): object {
  const { chainId, gateway, denom, receiptKey, models, bytesPerToken, tokensAhead } = terms;
  const names = { chain_id: chainId, gateway, denom, receipt_key: toBase64(receiptKey) };
  return { ...names, models, bytes_per_token: bytesPerToken, tokens_ahead: tokensAhead };
}

async function infer(parts: GatewayRouteParts, body: Uint8Array): Promise<Reply> {
  const asked = inferBodyOf(body);
  try {
    if (asked.kind === 'unpaid') return await quote(parts, asked.request);
    if (asked.isStream) {
      const opened = await parts.streams.open(asked.request);
      if (opened.kind === 'stream') return streamReply(parts, opened);
      parts.onOutcome(nameOf(opened));
      return await outcomeReply(parts, asked.request, opened);
    }
    const outcome = await parts.desk.answer(asked.request, parts.signal);
    parts.onOutcome(nameOf(outcome));
    return await outcomeReply(parts, asked.request, outcome);
  } catch (error) {
    return failed(parts, error);
  }
}

/** 402 with the price, as x402 has it: docs/operations/gateway.md. */
async function quote(parts: GatewayRouteParts, request: InferenceRequest): Promise<Reply> {
  const price = await parts.desk.priceOf(request);
  parts.onOutcome(price === undefined ? 'unknown_model' : 'quoted');
  if (price === undefined) return refusal('unknown_model');
  const error = { code: 'gateway.payment_required', message: 'send the request again with a voucher' };
  return json({ error, ceiling_min: price, ...termsJson(parts.terms) }, 402);
}

function nameOf(outcome: Outcome): OutcomeName {
  if (outcome.kind === 'answered') return outcome.again ? 'again' : 'answered';
  return outcome.kind === 'corrective' ? 'corrected' : outcome.reason;
}

async function outcomeReply(
  { desk }: GatewayRouteParts,
  request: InferenceRequest,
  outcome: Outcome,
): Promise<Reply> {
  if (outcome.kind === 'refused') {
    if (outcome.reason !== 'ceiling_too_low') return refusal(outcome.reason);
    return refusal(outcome.reason, { ceiling_min: await desk.priceOf(request) });
  }
  if (outcome.kind === 'corrective') {
    const { charged, last } = outcome.lane;
    const message = 'the voucher does not begin where its lane ends; sign anew from what was charged';
    const lane = { charged, last: last === undefined ? null : voucherJson(last) };
    return json({ error: { code: 'gateway.lane', message }, lane }, 409);
  }
  return json({ answer: fromUtf8(outcome.answer), ...paidJson(outcome) });
}

function refusal(reason: DeskRefusal, facts: object = {}): Reply {
  const [status, message] = REFUSED[reason];
  const reply = json({ error: { code: `gateway.${reason}`, message }, ...facts }, status);
  return status === 503 || status === 429 ? { ...reply, retryAfter: 1 } : reply;
}

/** What failed of an answer was not charged, or is given again for the same voucher. */
function failed({ logger, onOutcome, onFatal }: GatewayRouteParts, error: unknown): Reply {
  onOutcome('failed');
  if (!(error instanceof LedgerError)) throw error;
  const { code } = error;
  logger.warn({ code, error: messageOf(error) }, 'a request was not answered');
  if (isFatal(error)) onFatal(error);
  if (code === 'gateway.lost') return json({ error: { code, message: messageOf(error) } }, 410);
  const message = 'there is no answer; the same voucher can be sent again, it is charged at most once';
  const isOurs = code === 'gateway.inference';
  return json({ error: { code: isOurs ? code : 'gateway.unavailable', message } }, isOurs ? 502 : 503);
}

async function epoch({ epochs }: GatewayRouteParts, pathAndQuery: string): Promise<Reply> {
  const reply = await serveEpoch(epochs, pathAndQuery);
  if (reply.status === 200) return immutableBytes(reply.body);
  const code = reply.status === 400 ? 'gateway.request' : 'gateway.no_piece';
  return json({ error: { code, message: reply.body } }, reply.status);
}
