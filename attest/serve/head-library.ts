/**
 * Trained heads that a server holds, by the ids of their cards, and the claims on them that are pending on
 * the chain. Of a claim only its statement is kept: everything behind its roots follows from the query, so a
 * server that was started again can show it as well as the one that made the claim.
 */
import { equalBytes, toHex } from '../../core/bytes.ts';
import { cardId } from '../../modules/attribution/proof/influence/card.ts';
import { FEATURE_MAX, offsetCount } from '../../modules/attribution/proof/influence/bounds.ts';
import {
  checkClaim,
  claimId,
  decodeClaim,
  type InfluenceClaim,
  type InfluenceQuery,
} from '../../modules/attribution/proof/influence/claim.ts';
import type { ModelInput, Numbers } from '../../modules/attribution/proof/influence/fixed-point.ts';
import { hessianOf } from '../influence/hessian.ts';
import type { ServedCard, ServedClaim } from '../influence/published.ts';
import { answerOf, claimOf, type Influencer, influenceOf, queryOf } from '../influence/query.ts';
import { headOfCard } from '../influence/served-head.ts';
import { badRequest } from './reply.ts';

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

interface Head extends ServedHead {
  influencer: Influencer | undefined;
}

/** Pending claims that are known at a time; a bond stands behind each. */
const CLAIMS_MAX = 4096;

/** Claims whose leaves are held in memory: with 5,000 examples of 197 features in 10 classes some 40 MB each. */
const READY_MAX = 4;

/** Heads by the ids of their cards. */
export class HeadLibrary {
  readonly #heads = new Map<string, Head>();
  #pending: ReadonlyMap<string, InfluenceClaim> = new Map();
  /** Undefined: this claim is not what its query gives here. */
  readonly #ready = new Map<string, ServedClaim | undefined>();

  constructor(cards: readonly ServedCard[] = []) {
    for (const served of cards) this.add(served);
  }

  /** From now on this card is served too. */
  add(served: ServedCard): void {
    const key = toHex(cardId(served.card));
    this.#heads.set(key, { key, served, influencer: undefined });
  }

  /** In the order in which they were given. */
  list(): readonly ServedHead[] {
    return [...this.#heads.values()];
  }

  card(key: string): ServedCard | undefined {
    return this.#heads.get(key)?.served;
  }

  /** Factorises what queries need of each head, which takes seconds for a large one: better before than in one. */
  prepare(): void {
    for (const head of this.#heads.values()) influencerOf(head);
  }

  /**
   * A claim about a query to a card; undefined when it is not served here. All its trees are made for their
   * roots: with 5,000 examples in 10 classes some 0.2 s of processor time for 50 features, 0.8 s for 197.
   * @throws LedgerError `attest.request` for a query that the card does not take
   */
  ask(key: string, { features: given, offsets = [], label: said }: HeadQuestion): InfluenceClaim | undefined {
    const head = this.#heads.get(key);
    if (head === undefined) return undefined;
    const { card } = head.served;
    if (given.length !== card.features - 1)
      throw badRequest(
        `influence: ${given.length} features; this card takes ${card.features - 1}, without the constant one`,
      );
    const brings = offsetCount(card);
    if (offsets.length !== brings)
      throw badRequest(`influence: ${offsets.length} offsets; this card takes ${brings}`);
    const input = { features: Uint8Array.from([...given, FEATURE_MAX]), offsets };
    const label = said ?? answerOf(queryOf(influencerOf(head).head, input, 0));
    if (label >= card.classes)
      throw badRequest(`influence: label is ${label}; this card has classes 0 to ${card.classes - 1}`);
    const { claim } = answer(head, { ...input, label });
    checkClaim(card, claim);
    return claim;
  }

  /** The claims that may be asked about: those of these statements that are on a card that is served here. */
  expect(statements: readonly Uint8Array[]): void {
    const pending = new Map<string, InfluenceClaim>();
    for (const statement of statements.slice(0, CLAIMS_MAX)) {
      const claim = decodeClaim(statement);
      if (this.#heads.has(toHex(claim.card))) pending.set(toHex(claimId(claim)), claim);
    }
    this.#pending = pending;
    for (const key of this.#ready.keys()) if (!pending.has(key)) this.#ready.delete(key);
  }

  /** Pending claims on the cards that are served here. */
  get claims(): number {
    return this.#pending.size;
  }

  /**
   * A pending claim with everything behind its roots; undefined when there is none, or when it was made in
   * another way than here. Takes seconds the first time for a large head.
   */
  claim(key: string): ServedClaim | undefined {
    const claim = this.#pending.get(key);
    if (claim === undefined) return undefined;
    if (!this.#ready.has(key)) {
      const [oldest] = this.#ready.keys();
      if (oldest !== undefined && this.#ready.size >= READY_MAX) this.#ready.delete(oldest);
      this.#ready.set(key, this.#recompute(claim));
    }
    return this.#ready.get(key);
  }

  #recompute(claim: InfluenceClaim): ServedClaim | undefined {
    const head = this.#heads.get(toHex(claim.card));
    if (head === undefined) return undefined;
    const { roots } = claim;
    const made = answer(head, claim.query);
    const names = ['solution', 'effects', 'sums'] as const;
    return names.every((name) => equalBytes(made.claim.roots[name], roots[name])) ? made : undefined;
  }
}

/** What is said to a query, with everything behind it. */
function answer(head: Head, query: ModelInput & Pick<InfluenceQuery, 'label'>): ServedClaim {
  const influencer = influencerOf(head);
  const asked = queryOf(influencer.head, query, query.label);
  return claimOf(influencer, head.served, influenceOf(influencer, asked));
}

/** Made once. */
function influencerOf(head: Head): Influencer {
  if (head.influencer === undefined) {
    const trained = headOfCard(head.served);
    head.influencer = { head: trained, factors: hessianOf(trained) };
  }
  return head.influencer;
}
