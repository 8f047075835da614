/** Model cards and claims of influence on a chain that takes what the real one takes, and who serves them. */
import { toHex } from '../../../core/bytes.ts';
import { cardId, decodeCard, encodeCard } from '../../../modules/attribution/proof/influence/card.ts';
import { type CardChain, verifyCardFraud } from '../../../modules/attribution/proof/influence/card-fraud.ts';
import { claimId, decodeClaim } from '../../../modules/attribution/proof/influence/claim.ts';
import { verifyClaimFraud } from '../../../modules/attribution/proof/influence/claim-fraud.ts';
import { decodeCardFraud, decodeClaimFraud } from '../../../modules/attribution/proof/influence/fraud.ts';
import { openingHashes, splitHashes } from '../../../modules/attribution/proof/tree.ts';
import { leavesOfRun, runAt, runLeaves } from '../../../core/leaf-run.ts';
import type { Claim } from '../../../proto/gen/openledger/attribution/v1/attribution.ts';
import { type ServedCard, type ServedClaim, servedTree } from '../../influence/published.ts';
import type {
  InfluenceDemand,
  InfluencePlace,
  InfluenceSource,
  InfluenceTarget,
  PieceRange,
  PublishedCard,
} from '../ports.ts';

/** Leaves of a card or claim, as whoever made it has them. */
export type ServedInfluence = Partial<Pick<ServedCard, 'weights' | 'examples' | 'residuals' | 'groups'>> &
  Partial<Pick<ServedClaim, 'solution' | 'effects'>> &
  Pick<ServedCard, 'sums'>;

function treeAt(served: ServedInfluence, { tree, node }: Pick<InfluencePlace, 'tree' | 'node'>) {
  if (tree !== 'coordinates') return served[tree];
  const leaves = served.sums.coordinates[node ?? 0];
  return leaves && servedTree('coordinates', leaves);
}

/** The run at a place with the hashes of its opening. */
export function answerTo(served: ServedInfluence, place: InfluencePlace): InfluenceDemand['answer'] {
  const found = treeAt(served, place);
  const [one] = found?.leaves ?? [];
  if (found === undefined || one === undefined) return undefined;
  const { leaves, tree } = found;
  const run = leavesOfRun(runAt(place.leaf, { size: runLeaves(one.length), leaves: leaves.length }));
  return {
    leaves: leaves.slice(place.leaf, place.leaf + run.length),
    hashes: splitHashes(openingHashes(leaves.length, run, tree.node)),
  };
}

/** What a publisher in memory serves of cards and claims. */
export function servesInfluence(serves: {
  readonly cards?: readonly ServedCard[];
  readonly claims?: readonly ServedClaim[];
}): (source: InfluenceSource, range: PieceRange) => Promise<readonly Uint8Array[] | undefined> {
  const { cards = [], claims = [] } = serves;
  return async ({ of, key, ...at }, { from, count }) => {
    const found: ServedInfluence | undefined =
      of === 'cards'
        ? cards.find(({ card }) => toHex(cardId(card)) === key)
        : claims.find(({ claim }) => toHex(claimId(claim)) === key);
    return found && treeAt(found, at)?.leaves.slice(from, from + count);
  };
}

/** Cards, and frauds of cards and claims. */
export class FakeInfluence {
  readonly cards: Map<bigint, PublishedCard> = new Map();
  readonly chain: CardChain;
  #demands: readonly InfluenceDemand[] = [];

  constructor(chain: CardChain) {
    this.chain = chain;
  }

  publish({ card }: ServedCard, endpoint: string): bigint {
    const id = BigInt(this.cards.size + 1);
    this.cards.set(id, { id, publisher: 'open1owner', card: encodeCard(card), endpoint, dueHeight: 20_000n });
    return id;
  }

  demands(of: InfluenceTarget['kind'], id: bigint): readonly InfluenceDemand[] {
    return this.#demands.filter((demand) => demand.of === of && demand.id === id);
  }

  convict(id: bigint, proof: Uint8Array): void {
    const published = this.cards.get(id);
    if (published === undefined) throw new Error(`there is no card ${id}`);
    verifyCardFraud(decodeCard(published.card), decodeCardFraud(proof), this.chain);
    this.cards.delete(id);
  }

  dispute(claim: Claim, proof: Uint8Array): void {
    const { cardId: id = 0n, statement = new Uint8Array(0) } = claim.influence ?? {};
    const card = decodeCard(this.cards.get(id)?.card ?? new Uint8Array(0));
    verifyClaimFraud({ card, claim: decodeClaim(statement) }, decodeClaimFraud(proof));
  }

  request({ kind, id }: InfluenceTarget, place: InfluencePlace): void {
    const requestId = BigInt(this.#demands.length + 1);
    const open = this.demands(kind, id).filter(({ answer }) => answer === undefined).length;
    const bond = 100n * BigInt(1 + open);
    this.#demands = [
      ...this.#demands,
      { of: kind, id, requestId, place, own: true, bond, answer: undefined },
    ];
  }

  /** What open requests are about, by name. */
  ownOpen(): readonly string[] {
    return this.#demands.filter(({ answer }) => answer === undefined).map(({ of, id }) => `${of} ${id}`);
  }

  /** Answers what is demanded of a card or claim. */
  answer(of: InfluenceTarget['kind'], id: bigint, served: ServedInfluence): void {
    this.#demands = this.#demands.map((demand) =>
      demand.of === of && demand.id === id && demand.answer === undefined
        ? { ...demand, answer: answerTo(served, demand.place) }
        : demand,
    );
  }
}
