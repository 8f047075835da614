/**
 * Bodies of `POST /v1/infer` and `POST /v1/pay`, and vouchers in JSON; docs/operations/gateway.md has them
 * for people.
 */
import { fromBase64, fromHex, toBase64, toHex, utf8 } from '../../core/bytes.ts';
import { requestHash } from '../../client/content.ts';
import type { SignedVoucher } from '../../client/vouchers/signatures.ts';
import type { ShownLink } from '../../client/vouchers/state.ts';
import { LINKS_MAX, type VoucherHashChain } from '../../modules/channels/format/voucher.ts';
import { badRequest } from '../../serve/reply.ts';
import type { PaidRequest } from '../../gateway/serve/desk.ts';
import type { InferenceRequest } from '../../gateway/serve/ports.ts';

/** A request; without a voucher it is told what it costs. */
export type InferBody =
  | { readonly kind: 'unpaid'; readonly request: InferenceRequest }
  | {
      readonly kind: 'paid';
      readonly request: PaidRequest;
      /** It wants the answer piece by piece. */
      readonly isStream: boolean;
    };

/** A link of a stream's voucher. */
export interface PayBody extends ShownLink {
  /** 32 bytes. */
  readonly channelId: Uint8Array;
  readonly lane: number;
}

type Fields = Readonly<Record<string, unknown>>;

/** What a body may say; another name is most likely one of these misspelt. */
const BODY_FIELDS = ['model_id', 'prompt', 'max_tokens', 'nonce', 'voucher', 'stream'];
const VOUCHER_FIELDS = [
  ...['channel_id', 'lane', 'key_version', 'cumulative', 'ceiling', 'resource', 'signature', 'form'],
  'hash_chain',
];
const CHAIN_FIELDS = ['root', 'unit', 'links'];
const PAY_FIELDS = ['channel_id', 'lane', 'index', 'preimage'];

const U32_MAX = 2 ** 32 - 1;
const ID_FORM = /^[1-9]\d{0,18}$/;
const AMOUNT_FORM = /^\d{1,39}$/;
const HASH_FORM = /^[0-9a-f]{64}$/i;
const NONCE_FORM = /^([0-9a-f]{2}){1,64}$/i;
const SIGNATURE_BYTES = 64;
const TOKENS_MAX = 2 ** 24;

/** @throws LedgerError `serve.request` that names the field */
export function inferBodyOf(body: Uint8Array): InferBody {
  const fields = fieldsOf(parse(body), BODY_FIELDS, 'the body');
  const { model_id: id, prompt, max_tokens: most, nonce, voucher, stream: isStream = false } = fields;
  if (typeof id !== 'string' || !ID_FORM.test(id))
    throw badRequest('model_id must be the id of a model, such as "1"');
  if (typeof prompt !== 'string' || prompt === '') throw badRequest('prompt must be a text');
  if (typeof isStream !== 'boolean') throw badRequest('stream must be true or false');
  const modelId = BigInt(id);
  const request = {
    modelId,
    prompt: utf8(prompt),
    tokensOutMax: whole('max_tokens', most, [1, TOKENS_MAX]),
  };
  if (voucher === undefined) return { kind: 'unpaid', request };
  if (typeof nonce !== 'string' || !NONCE_FORM.test(nonce))
    throw badRequest('nonce must be 1 to 64 bytes in hexadecimal, new for each request that is to be paid');
  const resource = requestHash({ modelId, prompt, nonce: fromHex(nonce) });
  return { kind: 'paid', request: { ...request, resource, voucher: voucherOf(voucher) }, isStream };
}

/** @throws LedgerError `attest.request` that names the field */
export function payBodyOf(body: Uint8Array): PayBody {
  const fields = fieldsOf(parse(body), PAY_FIELDS, 'the body');
  return {
    channelId: hash('channel_id', fields['channel_id']),
    lane: whole('lane', fields['lane'], [0, U32_MAX]),
    index: whole('index', fields['index'], [1, LINKS_MAX]),
    preimage: hash('preimage', fields['preimage']),
  };
}

/** A voucher as payers send it, and as corrective answers show it; `inferBodyOf` reads it. */
export function voucherJson({ voucher, signature, form }: SignedVoucher): Fields {
  const { channelId, lane, keyVersion, cumulative, ceiling, resource, hashChain } = voucher;
  const chain = hashChain && { ...hashChain, root: toHex(hashChain.root), unit: `${hashChain.unit}` };
  return {
    channel_id: toHex(channelId),
    lane,
    key_version: keyVersion,
    cumulative: `${cumulative}`,
    ceiling: `${ceiling}`,
    resource: toHex(resource),
    signature: toBase64(signature),
    form,
    ...(chain && { hash_chain: chain }),
  };
}

function voucherOf(value: unknown): SignedVoucher {
  const fields = fieldsOf(value, VOUCHER_FIELDS, 'voucher');
  const { form = 'plain' } = fields;
  if (form !== 'plain' && form !== 'adr036') throw badRequest('voucher: form must be "plain" or "adr036"');
  return {
    voucher: {
      channelId: hash('voucher: channel_id', fields['channel_id']),
      lane: whole('voucher: lane', fields['lane'], [0, U32_MAX]),
      keyVersion: whole('voucher: key_version', fields['key_version'] ?? 0, [0, U32_MAX]),
      cumulative: amount('cumulative', fields['cumulative']),
      ceiling: amount('ceiling', fields['ceiling']),
      resource: hash('voucher: resource', fields['resource']),
      hashChain: fields['hash_chain'] === undefined ? undefined : hashChainOf(fields['hash_chain']),
    },
    signature: signatureOf(fields['signature']),
    form,
  };
}

function hashChainOf(value: unknown): VoucherHashChain {
  const fields = fieldsOf(value, CHAIN_FIELDS, 'voucher: hash_chain');
  return {
    root: hash('voucher: root', fields['root']),
    unit: amount('unit', fields['unit']),
    links: whole('voucher: links', fields['links'], [1, LINKS_MAX]),
  };
}

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString('utf8'));
  } catch {
    throw badRequest('the body is not JSON; send {"model_id": "1", "prompt": "…", "max_tokens": 100}');
  }
}

function fieldsOf(value: unknown, names: readonly string[], what: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw badRequest(`${what} must be an object`);
  const other = Object.keys(value).find((name) => !names.includes(name));
  if (other === undefined) return Object.fromEntries(Object.entries(value));
  throw badRequest(`${what} has no field "${other.slice(0, 40)}"; there are ${names.join(', ')}`);
}

function whole(name: string, value: unknown, [least, most]: readonly [number, number]): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
  throw badRequest(`${name} must be a whole number from ${least} to ${most}`);
}

function amount(name: string, value: unknown): bigint {
  if (typeof value === 'string' && AMOUNT_FORM.test(value)) return BigInt(value);
  throw badRequest(`voucher: ${name} must be an amount as a text, such as "1016"`);
}

function hash(name: string, value: unknown): Uint8Array {
  if (typeof value === 'string' && HASH_FORM.test(value)) return fromHex(value);
  throw badRequest(`${name} must be 32 bytes in hexadecimal`);
}

function signatureOf(value: unknown): Uint8Array {
  const problem = badRequest(`voucher: signature must be ${SIGNATURE_BYTES} bytes in base64`);
  if (typeof value !== 'string') throw problem;
  let bytes: Uint8Array;
  try {
    bytes = fromBase64(value);
  } catch {
    throw problem;
  }
  if (bytes.length !== SIGNATURE_BYTES) throw problem;
  return bytes;
}
