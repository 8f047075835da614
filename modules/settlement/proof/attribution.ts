/**
 * Who a receipt's contributors are: weights, which the receipt names by their SHA-256.
 *
 * `u8 kind, u64 claim, u64 unattributed, u16 entries`, for each entry `14 place, u64 weight`; big-endian.
 *
 * With a claim they are that claim's. Without (claim 0) they are what the gateway states: as with retrieval
 * (docs/adr/0024) nothing on the chain can tell, so only as much as `ModelTerms.statedBps` lets it.
 */
import { apportion } from '../../../core/apportion.ts';
import { EMPTY_BYTES, equalBytes } from '../../../core/bytes.ts';
import { HASH_BYTES, sha256 } from '../../../core/hash.ts';
import { type Place, PlaceKind } from '../../../proto/gen/openledger/settlement/v1/epoch.ts';
import type { AttributedWeights, EpochChain, ModelTerms, WeightedPlace } from './chain.ts';
import { ATTRIBUTION_KIND } from './kinds.ts';
import { comparePlaces, PLACE_BYTES, PREFIX_LEVEL, readPlace, type Receipt, writePlace } from './leaves.ts';

/** Most entries of an attribution. */
export const ATTRIBUTION_ENTRIES_MAX = 1024;

/** What a receipt without an attribution has in its place. */
export const NO_ATTRIBUTION: Uint8Array = new Uint8Array(HASH_BYTES);

const HEAD_BYTES = 19;
const ENTRY_BYTES: number = PLACE_BYTES + 8;

/** Bytes of the longest attribution: 22,547. */
export const ATTRIBUTION_BYTES_MAX: number = HEAD_BYTES + ATTRIBUTION_ENTRIES_MAX * ENTRY_BYTES;
const BPS_WHOLE = 10_000n;

/** See the file comment. */
export interface Attribution extends AttributedWeights {
  /** 0: without a claim. */
  readonly claimId: bigint;
}

/** The bytes that a receipt names by their hash. */
export function encodeAttribution({ claimId, unattributed, entries }: Attribution): Uint8Array {
  const bytes = new Uint8Array(HEAD_BYTES + entries.length * ENTRY_BYTES);
  const view = new DataView(bytes.buffer);
  bytes[0] = ATTRIBUTION_KIND;
  view.setBigUint64(1, claimId);
  view.setBigUint64(9, unattributed);
  view.setUint16(17, entries.length);
  for (const [i, { place, weight }] of entries.entries()) {
    writePlace(place, bytes, HEAD_BYTES + i * ENTRY_BYTES);
    view.setBigUint64(HEAD_BYTES + i * ENTRY_BYTES + PLACE_BYTES, weight);
  }
  return bytes;
}

/** Undefined when the bytes are none: entries are positions of logs, in rising order, each of some weight. */
export function decodeAttribution(bytes: Uint8Array): Attribution | undefined {
  if (bytes.length < HEAD_BYTES || bytes[0] !== ATTRIBUTION_KIND) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const count = view.getUint16(17);
  if (count === 0 || count > ATTRIBUTION_ENTRIES_MAX) return undefined;
  if (bytes.length !== HEAD_BYTES + count * ENTRY_BYTES) return undefined;
  const entries: WeightedPlace[] = [];
  for (let at = HEAD_BYTES; at < bytes.length; at += ENTRY_BYTES) {
    const place = readPlace(bytes, at);
    const weight = view.getBigUint64(at + PLACE_BYTES);
    const last = entries.at(-1);
    if (place === undefined || weight === 0n || !isPosition(place)) return undefined;
    if (last !== undefined && comparePlaces(last.place, place) >= 0) return undefined;
    entries.push({ place, weight });
  }
  return { claimId: view.getBigUint64(1), unattributed: view.getBigUint64(9), entries };
}

function isPosition({ kind, level }: Place): boolean {
  return kind === PlaceKind.PLACE_KIND_DATANET && level === 0;
}

/** True when these are the bytes that the receipt names: none when it names none. */
export function isAttributionOf({ attribution }: Receipt, bytes: Uint8Array): boolean {
  if (equalBytes(attribution, NO_ATTRIBUTION)) return bytes.length === 0;
  return equalBytes(sha256(bytes), attribution);
}

/** True when a receipt may rest on these weights: its claim's, or no more than may be stated without one. */
export function attributionHolds(
  chain: EpochChain,
  { receipt, terms }: { readonly receipt: Receipt; readonly terms: ModelTerms },
  attribution: Attribution,
): boolean {
  const { claimId, entries, unattributed } = attribution;
  if (claimId === 0n) return mayState(chain, terms, attribution);
  const claim = chain.claim(claimId);
  if (claim === undefined || claim.modelId !== receipt.modelId) return false;
  if (!equalBytes(claim.answerRoot, receipt.responseHash)) return false;
  const { weights } = claim;
  if (weights.unattributed !== unattributed || weights.entries.length !== entries.length) return false;
  return weights.entries.every(({ place, weight }, i) => {
    const entry = entries[i];
    return entry !== undefined && entry.weight === weight && comparePlaces(entry.place, place) === 0;
  });
}

function mayState(chain: EpochChain, terms: ModelTerms, { entries, unattributed }: Attribution): boolean {
  const stated = entries.reduce((sum, { weight }) => sum + weight, 0n);
  if (stated * BPS_WHOLE > (stated + unattributed) * BigInt(terms.statedBps)) return false;
  // Those of the model's snapshots, as in claims.
  const isIn = ({ id, index }: Place): boolean =>
    terms.datanets.some(({ datanetId, positions }) => datanetId === id && BigInt(index) < positions);
  return entries.every(({ place }) => isIn(place) && chain.holds(place));
}

/** What a place gets. */
export interface Due {
  readonly place: Place;
  /** Not zero. */
  readonly amount: bigint;
}

/**
 * What each place gets of a receipt, in rising order of places: the model its part; the contributors' part by
 * weight, and of that what is nobody's to the positions of the model's snapshots by theirs. Largest remainders, the lower place
 * first, as for payments (docs/adr/0024).
 */
export function duesOf(
  { modelId, parts }: Pick<Receipt, 'modelId' | 'parts'>,
  { datanets }: Pick<ModelTerms, 'datanets'>,
  weights: AttributedWeights | undefined,
): readonly Due[] {
  const model = { kind: PlaceKind.PLACE_KIND_MODEL, id: modelId, level: 0, index: 0 };
  const { entries, unattributed } = weights ?? { entries: [], unattributed: 1n };
  const amounts = apportion(parts.contributors, [...entries.map(({ weight }) => weight), unattributed]);
  const named = entries.map(({ place }, i) => ({ place, amount: amounts[i] ?? 0n }));
  const left = snapshotDues(amounts.at(-1) ?? 0n, datanets);
  return [{ place: model, amount: parts.model }, ...named, ...left]
    .filter(({ amount }) => amount > 0n)
    .sort((a, b) => comparePlaces(a.place, b.place));
}

function snapshotDues(amount: bigint, datanets: ModelTerms['datanets']): readonly Due[] {
  const weights = datanets.map(({ weight }) => weight);
  // A quote leaves contributors nothing when there is no Datanet: only a receipt that is wrong gets here so.
  if (weights.every((weight) => weight === 0n)) return [];
  const amounts = apportion(amount, weights);
  return datanets.map(({ datanetId: id, positions }, i) => ({
    place: { kind: PlaceKind.PLACE_KIND_DATANET, id, level: PREFIX_LEVEL, index: Number(positions) },
    amount: amounts[i] ?? 0n,
  }));
}

/** The bytes of no attribution. */
export const NO_ATTRIBUTION_BYTES: Uint8Array = EMPTY_BYTES;
