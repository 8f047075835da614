/**
 * Trained heads that a server holds, by the ids of their cards, and the claims on them that are pending on
 * the chain. Of a claim only its statement is needed: everything behind its roots follows from the query, so
 * a server that was started again can show it as well as the one that made the claim.
 */
import { toHex } from '../../core/bytes.ts';
import { FEATURE_MAX, offsetCount } from '../../modules/attribution/proof/influence/bounds.ts';
import { cardId } from '../../modules/attribution/proof/influence/card.ts';
import {
  claimId,
  decodeClaim,
  encodeClaim,
  type InfluenceClaim,
} from '../../modules/attribution/proof/influence/claim.ts';
import type { Numbers } from '../../modules/attribution/proof/influence/fixed-point.ts';
import type { ServedCard } from '../influence/published.ts';
import type { Asker } from '../../serve/route.ts';
import { engineHere, type EngineCounts, type InfluenceEngine } from './influence-engine.ts';
import { workCardOf } from './influence-work.ts';
import { packedBytes, type PackedClaim } from './packed-claim.ts';
import { badRequest } from './errors.ts';

/** A head that is served. */
export interface ServedHead {
  /** Id of its card in hexadecimal: proof/influence/card.ts. */
  readonly key: string;
  readonly served: ServedCard;
}

/** A query to a head, and its answer. */
export interface HeadQuestion {
  /** Bytes, without the constant one. */
  readonly features: Uint8Array;
  /** Of an adapter: logits of the base model, integers in units of 2^-24. */
  readonly offsets?: Numbers;
  /** The class that was answered; else the one that the head answers with. */
  readonly label?: number;
}

/** What a library is made with. */
export interface HeadLibraryOptions {
  /** Has the same cards. Default: the thread of whoever asks. */
  readonly engine?: InfluenceEngine;
  /**
   * Bytes of leaves of pending claims that are kept; the one that was asked for last is kept in any case.
   * Default 256 MiB: one claim of 5,000 examples in 10 classes takes 4 MiB with 50 features, 13 with 197.
   */
  readonly keptBytesMax?: number;
}

/** Pending claims that are known at a time; a bond stands behind each. */
const CLAIMS_MAX = 4096;

const KEPT_BYTES_MAX = 2 ** 28;

/** Heads by the ids of their cards. */
export class HeadLibrary {
  readonly #heads: ReadonlyMap<string, ServedHead>;
  readonly #engine: InfluenceEngine;
  readonly #keptBytesMax: number;
  #pending: ReadonlyMap<string, InfluenceClaim> = new Map();
  /** The one asked for longest ago first. Undefined: this claim is not what its query gives here. */
  readonly #kept = new Map<string, PackedClaim | undefined>();
  #keptBytes = 0;
  /** Whoever asks for a claim that is being computed waits for that. */
  readonly #computing = new Map<string, Promise<PackedClaim | undefined>>();

  constructor(
    cards: readonly ServedCard[] = [],
    { engine = engineHere(cards.map(workCardOf)), keptBytesMax = KEPT_BYTES_MAX }: HeadLibraryOptions = {},
  ) {
    this.#heads = new Map(
      cards.map((served) => {
        const key = toHex(cardId(served.card));
        return [key, { key, served }];
      }),
    );
    this.#engine = engine;
    this.#keptBytesMax = keptBytesMax;
  }

  /** In the order in which they were given. */
  list(): readonly ServedHead[] {
    return [...this.#heads.values()];
  }

  card(key: string): ServedCard | undefined {
    return this.#heads.get(key)?.served;
  }

  /** What computes claims. */
  get engine(): EngineCounts {
    return this.#engine.counts;
  }

  /** Bytes of the leaves of claims that are kept. */
  get keptBytes(): number {
    return this.#keptBytes;
  }

  /**
   * A claim about a query to a card; undefined when it is not served here.
   * @throws LedgerError `attest.request` for a query that the card does not take, before anything is computed;
   * and what the engine says: `InfluenceEngine.ask`
   */
  async ask(key: string, question: HeadQuestion, asker?: Asker): Promise<InfluenceClaim | undefined> {
    const { features: given, offsets = [], label } = question;
    const card = this.card(key)?.card;
    if (card === undefined) return undefined;
    if (given.length !== card.features - 1)
      throw badRequest(
        `influence: ${given.length} features; this card takes ${card.features - 1}, without the constant one`,
      );
    const brings = offsetCount(card);
    if (offsets.length !== brings)
      throw badRequest(`influence: ${offsets.length} offsets; this card takes ${brings}`);
    if (label !== undefined && label >= card.classes)
      throw badRequest(`influence: label is ${label}; this card has classes 0 to ${card.classes - 1}`);
    const input = { features: Uint8Array.from([...given, FEATURE_MAX]), offsets };
    return decodeClaim(await this.#engine.ask(key, { input, label }, asker));
  }

  /** The claims that may be asked about: those of these statements that are on a card that is served here. */
  expect(statements: readonly Uint8Array[]): void {
    const pending = new Map<string, InfluenceClaim>();
    for (const statement of statements.slice(0, CLAIMS_MAX)) {
      const claim = decodeClaim(statement);
      if (this.#heads.has(toHex(claim.card))) pending.set(toHex(claimId(claim)), claim);
    }
    this.#pending = pending;
    for (const key of this.#kept.keys()) if (!pending.has(key)) this.#drop(key);
  }

  /** Pending claims on the cards that are served here. */
  get claims(): number {
    return this.#pending.size;
  }

  /**
   * Everything behind a pending claim; undefined when there is none, or when it was made in another way than
   * here. Computed the first time, then kept.
   * @throws LedgerError what the engine says: `InfluenceEngine.claim`
   */
  async claim(key: string): Promise<PackedClaim | undefined> {
    const claim = this.#pending.get(key);
    if (claim === undefined) return undefined;
    if (this.#kept.has(key)) {
      const kept = this.#kept.get(key);
      this.#kept.delete(key);
      this.#kept.set(key, kept);
      return kept;
    }
    const running = this.#computing.get(key);
    if (running !== undefined) return await running;
    const computing = this.#engine.claim(encodeClaim(claim));
    this.#computing.set(key, computing);
    try {
      const made = await computing;
      if (this.#pending.has(key)) this.#keep(key, made);
      return made;
    } finally {
      this.#computing.delete(key);
    }
  }

  #keep(key: string, made: PackedClaim | undefined): void {
    this.#kept.set(key, made);
    this.#keptBytes += made === undefined ? 0 : packedBytes(made);
    for (const oldest of this.#kept.keys()) {
      if (this.#keptBytes <= this.#keptBytesMax || oldest === key) return;
      this.#drop(oldest);
    }
  }

  #drop(key: string): void {
    const kept = this.#kept.get(key);
    this.#kept.delete(key);
    this.#keptBytes -= kept === undefined ? 0 : packedBytes(kept);
  }
}
