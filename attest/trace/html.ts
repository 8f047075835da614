/**
 * The report as one page: no other resource, nothing of the texts is markup, and no script but its own runs
 * (a policy in the page names it by hash). Without scripts a highlighted passage links to the first document
 * that holds it, which is then marked; with them, pointing at a passage or choosing it marks all of its
 * documents.
 */
import { createHash } from 'node:crypto';
import { SCRIPT, STYLE } from './page-parts.ts';
import {
  counted,
  headingOf,
  percentOf,
  type ReportContributor,
  type ReportDocument,
  type ReportSegment,
  type ReportSpan,
  type TraceReport,
} from './report.ts';
import { visibleText } from './visible-text.ts';

/** What a page says of itself. */
export interface PageOptions {
  readonly title: string;
  /** BCP 47 tag of the output's language; default: none is claimed. */
  readonly language?: string;
}

/** The page of a report. */
export function pageOf(report: TraceReport, { title, language }: PageOptions): string {
  const lang = language === undefined ? '' : ` lang="${escapeText(language)}"`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy()}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeText(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>${escapeText(title)}</h1>
<p>${summary(report)}</p>
</header>
<main>
<section aria-labelledby="output-heading" class="output">
<h2 id="output-heading">The output</h2>
<p class="hint">Underlined passages stand word for word in the corpus; the stronger the colour, the rarer. Each leads to its documents.</p>
<div class="text" dir="auto"${lang}>${outputHtml(report)}</div>
</section>
<section aria-labelledby="documents-heading" class="documents">
<h2 id="documents-heading">Documents</h2>
<p class="hint" id="filter" role="status" aria-live="polite"></p>
${report.documents.length === 0 ? '<p>None.</p>' : `<ol>${report.documents.map(documentHtml).join('\n')}</ol>`}
</section>
<section aria-labelledby="shares-heading" class="shares">
<h2 id="shares-heading">Shares</h2>
${contributorTable(report.contributors)}
</section>
<section aria-labelledby="spans-heading" class="spans">
<h2 id="spans-heading">Passages</h2>
${spanTable(report.spans)}
</section>
</main>
<footer><p>A passage in a document shows where words stand, not why a model wrote them. Paraphrases are not found.</p></footer>
<script>${SCRIPT}</script>
</body>
</html>
`;
}

/** Text as the content of an element or of a quoted attribute. */
export function escapeText(text: string): string {
  return visibleText(text).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function policy(): string {
  const of = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  return `default-src 'none'; style-src ${of(STYLE)}; script-src ${of(SCRIPT)}; base-uri 'none'; form-action 'none'`;
}

function summary({ output, corpus, covered_bps, spans, documents, contributors }: TraceReport): string {
  const found = `${counted(spans.length, 'passage')} in ${counted(documents.length, 'document')} of ${counted(
    contributors.length,
    'contributor',
  )}`;
  return `${found}; ${percentOf(covered_bps)} of the output's ${counted(output.bytes, 'byte')} (${counted(
    output.tokens,
    'token',
  )}). Corpus: ${counted(corpus.documents, 'document')}, ${counted(corpus.tokens, 'token')}.`;
}

/** Which third of the passages, from the rarest, a passage is in: 1 to 3. */
function rarityOf(number: number, passages: number): number {
  return 1 + Math.floor((3 * (number - 1)) / Math.max(1, passages));
}

function outputHtml({ output, spans, documents }: TraceReport): string {
  const targets = new Map(
    spans.map(({ number }) => [
      number,
      documents.findIndex((document) => document.spans.includes(number)) + 1,
    ]),
  );
  const open = new Set<number>();
  const segment = ({ text, spans: over }: ReportSegment): string => {
    const number = over[0];
    if (number === undefined) return escapeText(text);
    const first = over.filter((each) => !open.has(each));
    for (const each of first) open.add(each);
    const marks = first.map((each) => `<sup>${each}</sup>`).join('');
    const target = targets.get(number) ?? 0;
    const link = target === 0 ? '#spans-heading' : `#document-${target}`;
    const rarity = rarityOf(number, spans.length);
    return `<a class="span rarity-${rarity}" href="${link}" data-spans="${over.join(' ')}">${marks}${escapeText(text)}</a>`;
  };
  return output.segments.map(segment).join('');
}

function documentHtml(document: ReportDocument, index: number): string {
  const { contributor, copies, spans, score, share_bps, byte_offset } = document;
  const { before, quote, after } = document.passage;
  const also =
    copies.length === 0 ? '' : `<p>The same content: ${copies.map((copy) => `#${copy}`).join(', ')}.</p>`;
  return `<li id="document-${index + 1}" data-spans="${spans.join(' ')}" tabindex="-1">
<h3><bdi>${escapeText(headingOf(document))}</bdi></h3>
<p class="facts">${escapeText(contributor)} · ${percentOf(share_bps)} · score ${score.toFixed(1)} · passage${spans.length > 1 ? 's' : ''} ${spans.join(', ')} · at byte ${byte_offset}</p>
<blockquote dir="auto">…${escapeText(before)}<mark>${escapeText(quote)}</mark>${escapeText(after)}…</blockquote>
${also}</li>`;
}

const WEIGHT = 'Weight (tokens / 2¹⁶)';

function contributorTable(contributors: readonly ReportContributor[]): string {
  const rows = contributors.map(
    ({ contributor, contribution_ids, share_bps, weight }) =>
      `<tr><th scope="row">${escapeText(contributor)}</th><td>${contribution_ids.map((id) => `#${id}`).join(', ')}</td>` +
      `<td class="number">${weight}</td><td class="number">${percentOf(share_bps)}</td></tr>`,
  );
  return tableHtml(['Contributor', 'Contributions', WEIGHT, 'Share'], rows);
}

function spanTable(spans: readonly ReportSpan[]): string {
  const rows = spans.map(({ number, text, count, surprisal_bits, share_bps, holders }) => {
    const held = holders.length === 0 ? 'withdrawn since' : holders.map((id) => `#${id}`).join(', ');
    return (
      `<tr id="span-${number}"><th scope="row" class="number">${number}</th><td><bdi>${escapeText(text)}</bdi></td>` +
      `<td class="number">${count}</td><td class="number">${surprisal_bits.toFixed(1)}</td>` +
      `<td class="number">${percentOf(share_bps)}</td><td>${held}</td></tr>`
    );
  });
  return tableHtml(['', 'Passage', 'Occurs', 'Bits', 'Share', 'Held by'], rows);
}

/** Headings of columns of numbers. */
const NUMBERS: readonly string[] = [WEIGHT, 'Share', 'Occurs', 'Bits'];

function tableHtml(headings: readonly string[], rows: readonly string[]): string {
  if (rows.length === 0) return '<p>None.</p>';
  const head = headings
    .map((heading) => `<th scope="col"${NUMBERS.includes(heading) ? ' class="number"' : ''}>${heading}</th>`)
    .join('');
  return `<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>\n${rows.join('\n')}\n</tbody></table></div>`;
}
