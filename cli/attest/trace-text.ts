/** A trace as a terminal shows it. */
import {
  counted,
  headingOf,
  percentOf,
  type ReportDocument,
  type TraceReport,
} from '../../attest/trace/report.ts';
import { visibleText } from '../../attest/trace/visible-text.ts';
import { fittedWidths, naturalWidths, paragraph, shorten, tableOf } from '../demo/table.ts';

/** What the terminal can show. */
export interface TextOptions {
  readonly columns: number;
  /** Passages stand on a ground of their own; else between brackets. */
  readonly colours: boolean;
}

const ESCAPE = '\u001b';
/** Black on yellow: readable on a light ground and on a dark one. */
const MARK = `${ESCAPE}[30;43m`;
const DIM = `${ESCAPE}[2m`;
const PLAIN = `${ESCAPE}[0m`;
/** Documents that are shown with their passages; the page has all of them. */
const DOCUMENTS_SHOWN = 10;

/** The report as text. */
export function traceText(report: TraceReport, options: TextOptions): string {
  const { output, corpus, spans, documents, contributors, covered_bps } = report;
  const lines = [
    paragraph(
      `${counted(spans.length, 'passage')} of the output (${percentOf(covered_bps)} of ${counted(output.bytes, 'byte')}) in ` +
        `${counted(documents.length, 'document')} of ${counted(contributors.length, 'contributor')}; ` +
        `corpus of ${counted(corpus.documents, 'document')}, ${counted(corpus.tokens, 'token')}.`,
      '',
      options.columns,
    ),
    '',
    outputText(report, options),
    '',
  ];
  if (spans.length === 0) return [...lines, ''].join('\n');
  const shown = documents.slice(0, DOCUMENTS_SHOWN);
  const more = documents.length - shown.length;
  return [
    ...lines,
    ...shown.map((document) => documentText(document, options)),
    ...(more > 0 ? [`… and ${counted(more, 'document')} more (--html or --json shows all)`, ''] : []),
    contributorTable(report, options.columns),
  ].join('\n');
}

interface Word {
  readonly text: string;
  /** With colours. */
  readonly painted: string;
}

/** The output in lines that fit, passages marked, their numbers behind. */
function outputText(report: TraceReport, { columns, colours }: TextOptions): string {
  const pieces = report.output.segments.flatMap(({ text, spans }, i): readonly Word[] => {
    const words = visibleText(text).split(/(?<=\s)/);
    const next = report.output.segments[i + 1]?.spans ?? [];
    const ending = spans.filter((number) => !next.includes(number));
    const isMarked = spans.length > 0;
    const opens =
      isMarked && !(report.output.segments[i - 1]?.spans ?? []).some((each) => spans.includes(each));
    return words.map((word, at): Word => {
      const number = at === words.length - 1 && ending.length > 0 ? `[${ending.join(',')}]` : '';
      if (!isMarked) return { text: word, painted: word };
      const body = word.trimEnd();
      const gap = word.slice(body.length);
      const behind = number === '' ? '' : `${DIM}${number}${PLAIN}`;
      if (colours) return { text: body + number + gap, painted: `${MARK}${body}${PLAIN}${behind}${gap}` };
      const plain = `${opens && at === 0 ? '«' : ''}${body}${number === '' ? '' : `»${number}`}${gap}`;
      return { text: plain, painted: plain };
    });
  });
  return wrapped(pieces, columns, '  ').trimEnd();
}

/** Words in lines; a line feed in a word ends its line. */
function wrapped(words: readonly Word[], columns: number, indent: string): string {
  let out = indent;
  let used = indent.length;
  for (const { text, painted } of words) {
    if (used > indent.length && used + text.trimEnd().length > columns) {
      out = `${out.trimEnd()}\n${indent}`;
      used = indent.length;
    }
    out += painted.replaceAll('\n', `\n${indent}`);
    const lastLine = text.lastIndexOf('\n');
    used = lastLine < 0 ? used + text.length : indent.length + text.length - lastLine - 1;
  }
  return out;
}

function documentText(document: ReportDocument, { columns, colours }: TextOptions): string {
  const { contributor, spans, score, share_bps, byte_offset, copies } = document;
  const oneLine = (text: string): string => visibleText(text).replace(/\s+/g, ' ');
  const { before, quote, after } = document.passage;
  const same = copies.length === 0 ? '' : `, same content as ${copies.map((id) => `#${id}`).join(', ')}`;
  const heading = shorten(oneLine(headingOf(document)), columns);
  const name = shorten(contributor, columns - 4);
  const facts = `${name}, ${percentOf(share_bps)}, score ${score.toFixed(1)}, passage${spans.length > 1 ? 's' : ''} ${spans.join(', ')}, at byte ${byte_offset}${same}`;
  // Around the quotation as much as two lines hold; of a long one its beginning.
  const room = Math.max(0, columns - 4 - Math.ceil(quote.length / 2));
  const left = oneLine(before)
    .slice(Math.max(0, before.length - room))
    .replace(/^\S*\s/, '');
  const right = oneLine(after)
    .slice(0, room)
    .replace(/\s\S*$/, '');
  const quoted = shorten(oneLine(quote), 6 * columns);
  const gap = /\s$/.test(quoted) ? ' ' : '';
  const passage = paragraph(`…${left}«${quoted.trimEnd()}»${gap}${right}…`, '   ', columns);
  const painted = colours
    ? passage.replace(/«([^»]*)»?/, (_, text: string) =>
        text
          .split('\n')
          .map((line) => line.replace(/\S.*/, (words) => `${MARK}${words}${PLAIN}`))
          .join('\n'),
      )
    : passage;
  return [heading, paragraph(facts, '   ', columns), painted, ''].join('\n');
}

const CONTRIBUTOR_HEADINGS = ['contributor', 'contributions', 'weight', 'share'] as const;

function contributorTable({ contributors }: TraceReport, columns: number): string {
  const rows = contributors.map(({ contributor, contribution_ids, weight, share_bps }) => [
    contributor,
    contribution_ids.map((id) => `#${id}`).join(' '),
    weight,
    percentOf(share_bps),
  ]);
  const widths = fittedWidths(naturalWidths([CONTRIBUTOR_HEADINGS, ...rows]), [0, 1], columns);
  return tableOf(CONTRIBUTOR_HEADINGS, rows, { rightAligned: [2, 3], widths });
}
