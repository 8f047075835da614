/** What takes long about a head: claims about queries, and everything behind claims that were made. */
import { equalBytes, toHex } from '../../core/bytes.ts';
import { defined } from '../../core/errors.ts';
import { cardId, decodeCard, encodeCard } from '../../modules/attribution/proof/influence/card.ts';
import {
  checkClaim,
  decodeClaim,
  encodeClaim,
  type InfluenceQuery,
} from '../../modules/attribution/proof/influence/claim.ts';
import type { ModelInput } from '../../modules/attribution/proof/influence/fixed-point.ts';
import { hessianOf } from '../influence/hessian.ts';
import type { ServedCard, ServedClaim } from '../influence/published.ts';
import { answerOf, claimOf, type Influencer, influenceOf, queryOf } from '../influence/query.ts';
import { headOfCard } from '../influence/served-head.ts';
import { CLAIM_TREES, packClaim, type PackedClaim } from './packed-claim.ts';

/** A card with the leaves that its head is made from, in a form that goes to another thread. */
export interface WorkCard {
  /** `encodeCard`. */
  readonly card: Uint8Array;
  readonly weights: readonly Uint8Array[];
  readonly examples: readonly Uint8Array[];
}

/** A query that fits its card. */
export interface WorkQuestion {
  /** Features end with the constant one. */
  readonly input: ModelInput;
  /** The class that was answered; else the one that the head answers with. */
  readonly label: number | undefined;
}

/** A copy: views of a file would take the whole file with them. */
export function workCardOf({ card, weights, examples }: ServedCard): WorkCard {
  const copies = (leaves: readonly Uint8Array[]): readonly Uint8Array[] =>
    leaves.map((leaf) => new Uint8Array(leaf));
  return {
    card: new Uint8Array(encodeCard(card)),
    weights: copies(weights.leaves),
    examples: copies(examples.leaves),
  };
}

interface Head {
  readonly card: Pick<ServedCard, 'card'>;
  readonly influencer: Influencer;
}

/**
 * Heads that are ready to be asked. Making one factorises its Hessian: 0.3 s of processor time for 50
 * features in 10 classes, 3 s for 197, 8 times as long for twice as many.
 */
export class InfluenceWork {
  readonly #heads = new Map<string, Head>();

  /** @throws DecodeError when a leaf is malformed */
  constructor(cards: readonly WorkCard[]) {
    for (const { card: bytes, weights, examples } of cards) {
      const card = decodeCard(bytes);
      const head = headOfCard({ card, weights: { leaves: weights }, examples: { leaves: examples } });
      const influencer = { head, factors: hessianOf(head) };
      this.#heads.set(toHex(cardId(card)), { card: { card }, influencer });
    }
  }

  /**
   * The claim about a query to a head that is here, as bytes. All trees are made for their roots: with 5,000
   * examples in 10 classes some 0.2 s of processor time for 50 features, 0.8 s for 197.
   */
  ask(key: string, { input, label: said }: WorkQuestion): Uint8Array {
    const head = defined(this.#heads.get(key), `head ${key}`);
    const label = said ?? answerOf(queryOf(head.influencer.head, input, 0));
    const { claim } = answer(head, { ...input, label });
    checkClaim(head.card.card, claim);
    return encodeClaim(claim);
  }

  /**
   * What is behind a claim (`encodeClaim`) on such a head, which takes as long; undefined when it was made in
   * another way than here.
   */
  claim(statement: Uint8Array): PackedClaim | undefined {
    const claim = decodeClaim(statement);
    const key = toHex(claim.card);
    const made = answer(defined(this.#heads.get(key), `head ${key}`), claim.query);
    const isSame = CLAIM_TREES.every((name) => equalBytes(made.claim.roots[name], claim.roots[name]));
    return isSame ? packClaim(made) : undefined;
  }
}

/** What is said to a query, with everything behind it. */
function answer({ card, influencer }: Head, query: ModelInput & Pick<InfluenceQuery, 'label'>): ServedClaim {
  const asked = queryOf(influencer.head, query, query.label);
  return claimOf(influencer, card, influenceOf(influencer, asked));
}
