/** Tables and paragraphs that fit a terminal. */

/** Columns of a terminal that does not say. */
export const DEFAULT_COLUMNS = 100;

/** One row's texts, a heading's too. */
export type Cells = readonly string[];

const GAP = '  ';

/** A text of at most so many characters; one that was cut ends in an ellipsis. */
export function shorten(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, Math.max(0, length - 1)).trimEnd()}…`;
}

/** Columns of text; those named are aligned to the right. What is wider than `widths` allows is cut. */
export function tableOf(
  headings: Cells,
  rows: readonly Cells[],
  options: { readonly rightAligned?: readonly number[]; readonly widths?: readonly number[] } = {},
): string {
  const { rightAligned = [], widths = naturalWidths([headings, ...rows]) } = options;
  const line = (cells: Cells): string => rowOf(cells, widths, rightAligned);
  const rule = widths.map((width) => '─'.repeat(width)).join(GAP);
  return [line(headings), rule, ...rows.map(line), ''].join('\n');
}

/** One line of a table. */
export function rowOf(cells: Cells, widths: readonly number[], rightAligned: readonly number[] = []): string {
  return widths
    .map((width, column) => {
      const cell = shorten(cells[column] ?? '', width);
      return rightAligned.includes(column) ? cell.padStart(width) : cell.padEnd(width);
    })
    .join(GAP)
    .trimEnd();
}

/** The longest cell of each column. */
export function naturalWidths(rows: readonly Cells[]): readonly number[] {
  const columns = Math.max(0, ...rows.map((cells) => cells.length));
  return Array.from({ length: columns }, (_, column) =>
    Math.max(0, ...rows.map((cells) => cells[column]?.length ?? 0)),
  );
}

/**
 * Takes from the widest of the columns named until all fit, and no column below eight characters.
 * @param columns of the terminal
 */
export function fittedWidths(
  natural: readonly number[],
  flexible: readonly number[],
  columns: number,
): readonly number[] {
  const widths = [...natural];
  const total = (): number =>
    widths.reduce((sum, width) => sum + width, 0) + GAP.length * (widths.length - 1);
  while (total() > columns) {
    const widest = flexible.reduce((best, column) => (at(widths, column) > at(widths, best) ? column : best));
    if (at(widths, widest) <= SHORTEST_COLUMN) break;
    widths[widest] = at(widths, widest) - 1;
  }
  return widths;
}

const SHORTEST_COLUMN = 8;

function at(widths: readonly number[], column: number): number {
  return widths[column] ?? 0;
}

/** The text in lines of at most so many columns, broken between words, each behind the indent. */
export function paragraph(text: string, indent: string, columns: number): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && indent.length + line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  lines.push(line);
  return lines.map((each) => indent + each).join('\n');
}
