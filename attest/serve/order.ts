/** The body of a request for an attribution. */
import { fromBase64, fromHex, utf8 } from '../../core/bytes.ts';
import type { RetrievedItem } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { parseFeatures, parseOffsets } from '../influence/examples-list.ts';
import type { AttributionOrder } from './attribute.ts';
import type { InfluenceOrder } from './influence-part.ts';
import { badRequest } from './errors.ts';
import type { RetrievalOrder } from './retrieval-part.ts';

/** What a request may say; another name is most likely one of these misspelt. */
const FIELDS = {
  order: [
    ...['model_id', 'text', 'text_base64', 'private', 'optimistic', 'influence', 'retrieval'],
    ...['request_hash', 'claimant'],
  ],
  influence: ['features', 'offsets', 'label', 'card_id'],
  retrieval: ['items', 'snapshot_id'],
  item: ['contribution_id', 'first_chunk', 'chunks', 'weight'],
} as const;

type Fields = Readonly<Record<string, unknown>>;

const U32_MAX = 2 ** 32 - 1;
const LABEL_MAX = 65_535;
const ID_FORM = /^[1-9]\d{0,18}$/;
const HASH_FORM = /^[0-9a-f]{64}$/i;
const EXAMPLE = 'send {"model_id": "1", "text": "…"}';

/**
 * `{"model_id": "1", "text": "…"}`; `text_base64` for bytes that are no text, `private` for an answer by root,
 * `optimistic` for no proofs; `influence`, `retrieval`, `request_hash`, `claimant`:
 * docs/operations/attestor.md.
 * @throws LedgerError `attest.request` that names the field
 */
export function orderOf(body: Uint8Array): AttributionOrder {
  const fields = bodyOf(body);
  const { text, text_base64: base64, private: isPrivate = false, optimistic: isOptimistic = false } = fields;
  const modelId = idOf(fields['model_id'], 'model_id must be the id of a model, such as "1"');
  if (typeof isPrivate !== 'boolean' || typeof isOptimistic !== 'boolean')
    throw badRequest('private and optimistic must be true or false');
  if ((typeof text === 'string') === (typeof base64 === 'string'))
    throw badRequest('give the answer as text or as text_base64, one of both');
  const { influence, retrieval, request_hash: hash, claimant } = fields;
  if (claimant !== undefined && typeof claimant !== 'string')
    throw badRequest('claimant must be the address whose message will carry the claim');
  return {
    modelId,
    text: typeof text === 'string' ? utf8(text) : bytesOf(base64),
    ...{ isPrivate, isOptimistic },
    ...(influence === undefined ? {} : { influence: influenceIn(influence) }),
    ...(retrieval === undefined ? {} : { retrieval: retrievalIn(retrieval) }),
    ...(hash === undefined ? {} : { requestHash: hashOf(hash) }),
    ...(claimant === undefined ? {} : { claimant }),
  };
}

function bodyOf(body: Uint8Array): Fields {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(body).toString('utf8'));
  } catch {
    throw badRequest(`the body is not JSON; ${EXAMPLE}`);
  }
  return known(FIELDS.order, objectOf(value, `the body must be an object; ${EXAMPLE}`), '');
}

function influenceIn(value: unknown): InfluenceOrder {
  const {
    features: given,
    offsets: logits,
    label,
    card_id: card,
  } = known(FIELDS.influence, objectOf(value, 'influence must be an object'), 'influence: ');
  const features = parseFeatures(given);
  if (features === undefined)
    throw badRequest('influence: features must be a list of bytes, without the constant one, or base64');
  const offsets = logits === undefined ? undefined : parseOffsets(logits);
  if (logits !== undefined && offsets === undefined)
    throw badRequest('influence: offsets must be a list of logits from -128 to below 128');
  return {
    features,
    ...(offsets === undefined ? {} : { offsets }),
    ...(label === undefined ? {} : { label: numberOf(label, [0, LABEL_MAX], 'influence: label') }),
    ...(card === undefined
      ? {}
      : { cardId: idOf(card, 'influence: card_id must be the id of a model card') }),
  };
}

function retrievalIn(value: unknown): RetrievalOrder {
  const fields = objectOf(value, 'retrieval must be an object');
  const { items, snapshot_id: snapshot } = known(FIELDS.retrieval, fields, 'retrieval: ');
  if (!Array.isArray(items)) throw badRequest('retrieval: items must be a list');
  return {
    items: items.map(itemIn),
    ...(snapshot === undefined
      ? {}
      : { snapshotId: idOf(snapshot, 'retrieval: snapshot_id must be the id of a snapshot') }),
  };
}

function itemIn(value: unknown, i: number): RetrievedItem {
  const place = `retrieval: item ${i}`;
  const fields = known(FIELDS.item, objectOf(value, `${place} must be an object`), `${place}: `);
  return {
    contributionId: idOf(fields['contribution_id'], `${place}: contribution_id must be an id`),
    firstChunk: numberOf(fields['first_chunk'], [0, U32_MAX], `${place}: first_chunk`),
    chunks: numberOf(fields['chunks'], [1, U32_MAX], `${place}: chunks`),
    weight: numberOf(fields['weight'], [1, U32_MAX], `${place}: weight`),
  };
}

/** @throws LedgerError `attest.request` that names a field which means nothing */
function known(names: readonly string[], fields: Fields, where: string): Fields {
  const other = Object.keys(fields).find((name) => !names.includes(name));
  if (other === undefined) return fields;
  throw badRequest(`${where}there is no field "${other.slice(0, 40)}"; there are ${names.join(', ')}`);
}

function objectOf(value: unknown, why: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw badRequest(why);
}

function idOf(value: unknown, why: string): bigint {
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text === 'string' && ID_FORM.test(text)) return BigInt(text);
  throw badRequest(why);
}

function numberOf(value: unknown, [least, most]: readonly [number, number], what: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
  throw badRequest(`${what} must be a whole number from ${least} to ${most}`);
}

function hashOf(value: unknown): Uint8Array {
  if (typeof value === 'string' && HASH_FORM.test(value)) return fromHex(value);
  throw badRequest('request_hash must be 64 hexadecimal digits');
}

function bytesOf(base64: unknown): Uint8Array {
  try {
    return fromBase64(typeof base64 === 'string' ? base64 : '');
  } catch {
    throw badRequest('text_base64 is not base64');
  }
}
