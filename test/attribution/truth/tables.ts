/** What `npm run truth` prints. */
import { TRACE_RULES } from '../../../modules/attribution/proof/trace/rules.ts';
import { controlRow, type Material, paraphraseRows, plantedRow, type Score } from './experiment.ts';

/** Words of a quotation. */
export const LENGTHS: readonly number[] = [8, 16, 32, 64, 128];
/** Parts of them that are edited. */
export const SHARES: readonly number[] = [0, 0.05, 0.1, 0.2];
/** Least lengths of spans to compare, in tokens. */
export const LEAST_TOKENS: readonly number[] = [4, 6, 8, 10, 12, 16];

const HEADINGS = ['named', 'recall', 'precision', 'first', 'weight'];

/** A Markdown table. */
export function markdown(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(headings), line(headings.map(() => '---')), ...rows.map(line), ''].join('\n');
}

function percent(part: number, of: number): string {
  return of === 0 ? '–' : `${((100 * part) / of).toFixed(1)} %`;
}

/** Contributions named an output, recall, precision, highest weight right, weight right. */
export function scoreCells({
  outputs,
  recalled,
  named,
  right,
  first,
  weightShare,
}: Score): readonly string[] {
  return [
    (named / outputs).toFixed(2),
    percent(recalled, outputs),
    percent(right, named),
    percent(first, outputs),
    named === 0 ? '–' : percent(weightShare, 1),
  ];
}

/** By length of the quotation and part of it that is edited. */
export function plantedTable(
  material: Material,
  options: { readonly outputs: number; readonly seed: number },
): string {
  const rows = LENGTHS.flatMap((length) =>
    SHARES.map((share) => [
      `${length}`,
      `${100 * share} %`,
      ...scoreCells(plantedRow(material, { length, share }, options)),
    ]),
  );
  return markdown(['words', 'edited', ...HEADINGS], rows);
}

/** Who is named for nothing, and what is found, by the least length of spans. */
export function leastTable(
  material: Material,
  options: { readonly outputs: number; readonly seed: number },
): string {
  const rows = LEAST_TOKENS.map((tokensMin) => {
    const rules = { ...TRACE_RULES, tokensMin };
    const control = controlRow(material, { ...options, rules });
    const planted = plantedRow(material, { length: 16, share: 0.1 }, { ...options, rules });
    return [`${tokensMin}`, (control.named / control.outputs).toFixed(2), ...scoreCells(planted)];
  });
  return markdown(['least tokens', 'named for nothing', ...HEADINGS], rows);
}

/** What is said otherwise. */
export function paraphraseTable(
  material: Material,
  options: { readonly outputs: number; readonly seed: number },
): string {
  const rows = paraphraseRows(material, options).map(({ name, score }) => [
    name,
    `${score.outputs}`,
    ...scoreCells(score),
  ]);
  return markdown(['paraphrase', 'outputs', ...HEADINGS], rows);
}
