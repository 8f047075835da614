/** What commands that make a model card print of it. */
import type { InfluenceCard } from '../../modules/attribution/proof/influence/card.ts';
import type { Terminal } from '../terminal.ts';

const BOUND_ONE = 2 ** 32;

/** Names and values. */
export type CardReport = Readonly<Record<string, string | number>>;

/** A card for people and programs: its id, its bytes, how far from the optimum its head is at most. */
export async function reportOf(card: InfluenceCard): Promise<CardReport> {
  const { distanceToOptimum } = await import('../../attest/influence/certificate.ts');
  const { cardId, encodeCard } = await import('../../modules/attribution/proof/influence/card.ts');
  const { toBase64, toHex } = await import('../../core/bytes.ts');
  return {
    id: toHex(cardId(card)),
    kind: card.kind,
    card: toBase64(encodeCard(card)),
    examples: card.examples,
    contributions: card.groups,
    gradientBound: card.gradientBound / BOUND_ONE,
    distanceToOptimum: distanceToOptimum(card),
  };
}

/** As JSON when that is asked for, else a line each. */
export function writeReport(
  report: CardReport,
  { json }: { readonly json?: boolean },
  terminal: Terminal,
): void {
  terminal.out(json === true ? `${JSON.stringify(report)}\n` : linesOf(report));
}

/** A line for each name. */
export function linesOf(report: CardReport): string {
  return Object.entries(report)
    .map(([name, value]) => `${name}: ${value}\n`)
    .join('');
}
