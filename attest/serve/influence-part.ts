/** Which examples an answer draws on, as the influence part of a claim: docs/adr/0023. */
import { encodeClaim, type InfluenceClaim } from '../../modules/attribution/proof/influence/claim.ts';
import { InfluenceStatement } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import type { HeadLibrary, HeadQuestion } from './head-library.ts';
import type { MadePart } from './parts.ts';
import type { ActiveCard, AttributionScope } from './ports.ts';

/** The query that the answer is to. */
export interface InfluenceOrder extends HeadQuestion {
  /** Number of the card on the chain; else the newest of the model's that is served here. */
  readonly cardId?: bigint;
}

/** What is asked of the heads. */
export type AskedHeads = Pick<HeadLibrary, 'card' | 'ask'>;

/** A statement with what it says. */
export interface StatedInfluence {
  readonly statement: InfluenceStatement;
  readonly claim: InfluenceClaim;
}

/**
 * The statement about one query, for a claim with a bond: there is no proof of influence but the window.
 * @throws LedgerError as `HeadLibrary.ask`: for a query that does not fit the card, and from what computes
 */
export async function influencePart(
  heads: AskedHeads,
  order: InfluenceOrder | undefined,
  scope: AttributionScope,
): Promise<MadePart<StatedInfluence>> {
  if (order === undefined)
    return leftOut(
      'the request has no features: give "influence" with those of the query and the answer class',
    );
  const card = chosenCard(heads, order.cardId, scope);
  if (typeof card === 'string') return leftOut(card);
  const claim = await heads.ask(card.key, order);
  if (claim === undefined) return leftOut(`model card ${card.id} is not served here any more`);
  if (claim.groups.length === 0)
    return leftOut(`by model card ${card.id} no contribution made class ${claim.query.label} more likely`);
  const statement = InfluenceStatement.create({ cardId: card.id, statement: encodeClaim(claim) });
  return { stated: { statement, claim } };
}

function leftOut(note: string): MadePart<never> {
  return { stated: undefined, note };
}

/** The card to ask; else why there is none. */
function chosenCard(
  heads: AskedHeads,
  wanted: bigint | undefined,
  { model, cards }: AttributionScope,
): ActiveCard | string {
  const here = cards.filter(({ key }) => heads.card(key) !== undefined);
  const found = wanted === undefined ? here.at(-1) : here.find(({ id }) => id === wanted);
  if (found !== undefined) return found;
  const ids = (list: readonly ActiveCard[]): string => list.map(({ id }) => id).join(', ') || 'none';
  const active = `active cards of model ${model.id}: ${ids(cards)}; served here: ${ids(here)}`;
  if (wanted === undefined)
    return `no active card of the model is served here (${active}); publish one, or wait until its window is over`;
  return `model card ${wanted} is not active or not served here (${active})`;
}
