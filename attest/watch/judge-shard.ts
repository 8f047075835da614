/**
 * Judges a published shard: gets its texts, recomputes it, and where the ids differ finds the proof that
 * convicts it. What cannot be had from anybody is to be demanded on the chain.
 *
 * | texts | recomputed id | pieces of the accused shard | verdict |
 * | --- | --- | --- | --- |
 * | longer than what is fetched here | | | too large |
 * | missing | | | unavailable: demand sections of the texts |
 * | there | equal | | right |
 * | there | differs | from publishers, and the proof holds | wrong |
 * | there | differs | none, or they do not fit the roots | unavailable: demand leaves |
 */
import { equalBytes, toHex } from '../../core/bytes.ts';
import { LedgerError } from '../../core/errors.ts';
import { SHARD_TREES } from '../../modules/attribution/proof/kinds.ts';
import { leafCount, runOfShard, shardId } from '../../modules/attribution/proof/shard/commitment.ts';
import {
  type ContributionRecord,
  NO_FRAUD,
  verifyFraud,
} from '../../modules/attribution/proof/shard/fraud.ts';
import {
  decodeFraud,
  encodeFraud,
  type ShardFraud,
} from '../../modules/attribution/proof/shard/fraud-format.ts';
import { saltCommitment } from '../../modules/attribution/proof/shard/salts.ts';
import { contentRoot, sectionCount } from '../../modules/attribution/verify.ts';
import type { ChunkPlace } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { convict, UNFIT_PIECES } from '../prove/convict.ts';
import type { ShardReader, SourceDocument } from '../shard.ts';
import { secretOfShard } from '../prove/salts.ts';
import { PartialShard, type PiecePlace, type PieceSupply, withPieces } from './partial-shard.ts';
import { eachOf } from '../../watch/attempts.ts';
import type { Demand, PublishedShard, Publisher } from './ports.ts';
import { absorbDemands, noSupply, publisherSupply } from './supply.ts';
import type { TextCache } from './text-cache.ts';
import { withdrawnDocuments, type WithdrawnDocuments } from './withdrawn.ts';
import type { TextRoom } from './text-room.ts';

/** What a watcher finds. */
export type ShardVerdict =
  | { readonly kind: 'right' }
  | { readonly kind: 'wrong'; readonly fraud: ShardFraud['kind']; readonly proof: Uint8Array }
  | UnavailableShard
  /** Salted: only who shares the texts and the secret can recompute it. */
  | { readonly kind: 'private' }
  /** Salted, under another secret than the one that is shared for it. */
  | { readonly kind: 'locked' }
  /** It has a text that is longer than this watcher fetches. */
  | { readonly kind: 'too-large'; readonly reason: string };

/** What has to be seen is not to be had. */
interface UnavailableShard {
  readonly kind: 'unavailable';
  readonly reason: string;
  readonly demands: readonly ChunkPlace[];
  /** Each demand is a step to a conviction, if the shard is wrong; else they only tell whether it is. */
  readonly decisive: boolean;
  /** Of texts that are missing; 0 when leaves are. */
  readonly sections: number;
  /** Texts that publishers delivered this time. */
  readonly delivered: number;
}

/** What a shard is judged by. */
export interface ShardCase {
  readonly shard: PublishedShard;
  /** The chain's contributions at its positions. */
  readonly records: readonly ContributionRecord[];
  /** What was demanded on the chain of this shard. */
  readonly demands: readonly Demand[];
  /** Where its texts may be, its own publisher's first. */
  readonly publishers: readonly Publisher[];
  /** For texts that are fetched. */
  readonly room: TextRoom;
  /** Secret of its index, when it is salted and this watcher has it. */
  readonly saltSecret?: Uint8Array | undefined;
}

/** Demands of one shard that are open at a time. */
export const OPEN_DEMANDS_MAX = 4;

/** Texts that are asked for at the same time: `Patience` bounds how many of them at one endpoint. */
const TEXTS_AT_ONCE = 8;

/** Judges a shard. What is fetched on the way stays in the cache. */
export async function judgeShard(case_: ShardCase, cache: TextCache): Promise<ShardVerdict> {
  const { shard, records, saltSecret } = case_;
  if (shard.commitment.salted) {
    if (saltSecret === undefined) return { kind: 'private' };
    const secret = secretOfShard(saltSecret, shard.commitment);
    const bound = saltCommitment(shard.commitment, secret);
    if (!equalBytes(bound, shard.commitment.saltCommitment)) return { kind: 'locked' };
  }
  const key = toHex(shardId(shard.commitment));
  if (cache.hasShard(key)) return { kind: 'right' };
  const withdrawn = await withdrawnDocuments(case_, key);
  const known = cache.rightShardFor(key, withdrawn.tombstones);
  const reason = known === undefined ? whyTooLarge(case_, withdrawn, cache) : undefined;
  if (reason !== undefined) return { kind: 'too-large', reason };
  const texts = known === undefined ? await fetchTexts(case_, withdrawn, cache) : NOTHING_FETCHED;
  if (texts.missing.length > 0) return missingTexts(case_, texts);
  const { tombstones } = withdrawn;
  const from = { sources: sourcesOf(records, tombstones, cache), tombstones };
  const honestKey = known ?? cache.recompute(shard.commitment, from, saltSecret);
  if (honestKey === key) return { kind: 'right' };
  const open = cache.openShard(honestKey, saltSecret);
  try {
    const verdict = await new Accuser(case_, key, open.shard, cache).accuse();
    if (verdict.kind !== 'unavailable' || withdrawn.unsure.length === 0) return verdict;
    // It may have a text where a tombstone was assumed.
    return { ...verdict, decisive: false, demands: furtherDemands(case_, withdrawn.unsure) };
  } finally {
    open.close();
  }
}

const NOTHING_FETCHED: FetchedTexts = { missing: [], delivered: 0 };

function* sourcesOf(
  records: readonly ContributionRecord[],
  tombstones: readonly number[],
  cache: TextCache,
): Generator<SourceDocument> {
  for (const [i, { contributionId, contributor, root, byteLength }] of records.entries()) {
    const content = tombstones.includes(i) ? undefined : cache.content(root);
    yield { contributionId, contributor, root, byteLength: Number(byteLength), content };
  }
}

function whyTooLarge(
  { records, room: { bytesMax } }: ShardCase,
  { tombstones }: WithdrawnDocuments,
  cache: TextCache,
): string | undefined {
  const large = records.find(
    ({ byteLength, root }, i) =>
      byteLength > bytesMax && !tombstones.includes(i) && cache.content(root) === undefined,
  );
  if (large === undefined) return undefined;
  const { contributionId, byteLength } = large;
  return `contribution ${contributionId} has ${byteLength} bytes, here at most ${bytesMax} are fetched`;
}

/** What came of asking for texts. */
interface FetchedTexts {
  /** Indices of documents whose text nobody has. */
  readonly missing: readonly number[];
  /** Texts that publishers delivered. */
  readonly delivered: number;
}

/** Gets the texts of all documents that are no tombstones into the cache. */
async function fetchTexts(
  case_: ShardCase,
  { tombstones }: WithdrawnDocuments,
  cache: TextCache,
): Promise<FetchedTexts> {
  const missing: number[] = [];
  let delivered = 0;
  await eachOf([...case_.records.entries()], TEXTS_AT_ONCE, async ([document, record]) => {
    if (tombstones.includes(document) || cache.content(record.root) !== undefined) return;
    const isHere = await case_.room.hold(Number(record.byteLength), async () => {
      const demanded = demandedContent(case_, document, record);
      const content = demanded ?? (await publishedContent(case_, record));
      if (content !== undefined) cache.putContent(record.root, content);
      if (content !== undefined && content.length > 0 && demanded === undefined) delivered++;
      return content !== undefined;
    });
    if (!isHere) missing.push(document);
  });
  return { missing: missing.sort((a, b) => a - b), delivered };
}

async function publishedContent(
  { publishers }: ShardCase,
  { root, byteLength }: ContributionRecord,
): Promise<Uint8Array | undefined> {
  const empty = new Uint8Array(0);
  if (byteLength === 0n && equalBytes(contentRoot(empty), root)) return empty;
  for (const publisher of publishers) {
    const content = await publisher.content(root, Number(byteLength));
    if (
      content !== undefined &&
      BigInt(content.length) === byteLength &&
      equalBytes(contentRoot(content), root)
    )
      return content;
  }
  return undefined;
}

/** A content of which all sections were answered on the chain. */
function demandedContent(
  { demands }: ShardCase,
  document: number,
  { root, byteLength }: ContributionRecord,
): Uint8Array | undefined {
  const sections = new Map<number, Uint8Array>();
  for (const { place, answer } of demands)
    if (place.tree === 0 && place.document === document && answer !== undefined)
      sections.set(place.chunk, answer.content);
  const parts = Array.from({ length: sectionCount(Number(byteLength)) }, (_, i) => sections.get(i));
  if (parts.length === 0 || parts.includes(undefined)) return undefined;
  const content = Uint8Array.from(Buffer.concat(parts.map((part) => part ?? new Uint8Array(0))));
  return equalBytes(contentRoot(content), root) ? content : undefined;
}

function missingTexts(case_: ShardCase, { missing, delivered }: FetchedTexts): ShardVerdict {
  const [first] = missing;
  const id = case_.records[first ?? 0]?.contributionId ?? 0n;
  const reason = `nobody serves ${missing.length} of its ${case_.records.length} texts, contribution ${id} for one`;
  const sectionsOf = (document: number): number =>
    sectionCount(Number(case_.records[document]?.byteLength ?? 0n));
  const sections = missing.reduce((sum, document) => sum + sectionsOf(document), 0);
  const found = { kind: 'unavailable', reason, decisive: false, sections, delivered } as const;
  // An answer makes them public: who has the secret gets the texts from who shared it.
  if (case_.shard.commitment.salted) return { ...found, demands: [] };
  const most = OPEN_DEMANDS_MAX + case_.demands.length;
  const places = missing.flatMap((document) =>
    Array.from(
      { length: Math.min(sectionsOf(document), most) },
      (_, chunk): ChunkPlace => ({ tree: 0, document, chunk }),
    ),
  );
  return { ...found, demands: furtherDemands(case_, places) };
}

/** Those of these places that nobody has demanded yet, as many as this watcher may have open. */
function furtherDemands({ demands }: ShardCase, places: readonly ChunkPlace[]): readonly ChunkPlace[] {
  const open = demands.filter(({ answer, own }) => own && answer === undefined).length;
  const fresh = places.filter((place) => !demands.some((demand) => isSamePlace(demand.place, place)));
  return fresh.slice(0, Math.max(0, OPEN_DEMANDS_MAX - open));
}

function isSamePlace(a: ChunkPlace, b: ChunkPlace): boolean {
  return a.tree === b.tree && a.document === b.document && a.chunk === b.chunk;
}

/** Finds the proof against a shard whose right arrays are at hand. */
class Accuser {
  readonly #case: ShardCase;
  readonly #key: string;
  readonly #honest: ShardReader;
  readonly #cache: TextCache;

  constructor(case_: ShardCase, key: string, honest: ShardReader, cache: TextCache) {
    this.#case = case_;
    this.#key = key;
    this.#honest = honest;
    this.#cache = cache;
  }

  async accuse(): Promise<ShardVerdict> {
    const { commitment } = this.#case.shard;
    const served = new PartialShard(commitment);
    const first = await this.#attempt(served, publisherSupply(served, this.#key, this.#case.publishers));
    if (first.kind === 'wrong') return first;
    // What is served does not fit the roots, or nothing is: only what the chain has checked counts now.
    const shown = new PartialShard(commitment);
    absorbDemands(shown, this.#case.demands);
    return await this.#attempt(shown, noSupply);
  }

  async #attempt(accused: PartialShard, supply: PieceSupply): Promise<ShardVerdict> {
    const { saltSecret, shard } = this.#case;
    const isSalted = shard.commitment.salted && saltSecret !== undefined;
    const secret = isSalted ? secretOfShard(saltSecret, shard.commitment) : undefined;
    const honest = this.#honest;
    const content = (document: number): Uint8Array =>
      this.#cache.content(this.#case.records[document]?.root ?? new Uint8Array(0)) ?? new Uint8Array(0);
    try {
      const attempt = await withPieces(() => convict({ honest, accused, content, secret }), supply);
      if (!attempt.done) return this.#unavailable('leaves that differ are not served', attempt.missing);
      if (attempt.value === undefined) return this.#unavailable('what is served is not what is committed to');
      const proof = this.#checked(attempt.value);
      return { kind: 'wrong', fraud: attempt.value.kind, proof };
    } catch (error) {
      if (!isUnfit(error)) throw error;
      return this.#unavailable(`what is served does not fit together (${error.message})`);
    }
  }

  /** @throws LedgerError when the chain would not take it */
  #checked(fraud: ShardFraud): Uint8Array {
    const { shard, records } = this.#case;
    const { firstPosition } = shard.commitment;
    const proof = encodeFraud(fraud);
    verifyFraud(shard.commitment, decodeFraud(proof), {
      recordAt: (_, position) => records[Number(position - firstPosition)],
    });
    return proof;
  }

  #unavailable(reason: string, missing: PiecePlace = FIRST_LEAF): ShardVerdict {
    const { tree, level = 0, index } = missing;
    const { commitment } = this.#case.shard;
    const last = leafCount(commitment, tree) - 1;
    const chunk = runOfShard(commitment, tree, Math.min(last, index * 2 ** level)).first;
    const place: ChunkPlace = { tree: SHARD_TREES[tree], document: 0, chunk };
    const demands = furtherDemands(this.#case, [place]);
    return { kind: 'unavailable', reason, demands, decisive: true, sections: 0, delivered: 0 };
  }
}

/** What the finder and the verifier say of pieces that are not of one shard; any other error is our own. */
function isUnfit(error: unknown): error is LedgerError {
  return error instanceof LedgerError && (error.code === UNFIT_PIECES || error.code === NO_FRAUD);
}

const FIRST_LEAF: PiecePlace = { tree: 'suffix', level: undefined, index: 0 };
