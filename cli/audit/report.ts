/** An audit's report for a person. */
import type { AuditReport, Confirmation } from './audit.ts';
import type { BookRow } from './books.ts';

/** What the command knows besides the audit itself. */
export interface ReportFacts {
  readonly source: string;
  /** With what the replay began, in words. */
  readonly start: string;
  readonly seconds: number;
}

const CONFIRMED: Readonly<Record<Confirmation, string>> = {
  'next header': 'as the next header has it',
  node: 'as the node says; no header after it has it yet',
  nothing: 'which nothing confirms: the next block is not there',
};

/** The whole report. */
export function reportText(report: AuditReport, { source, start, seconds }: ReportFacts): string {
  const { chainId, from, to, blocks, transactions, failed } = report;
  const rate = seconds > 0 ? (Number(blocks) / seconds).toFixed(0) : '-';
  const lines = [
    `${chainId}, blocks ${from} to ${to} of ${source}`,
    `begun with ${start}`,
    `${grouped(blocks)} blocks, ${grouped(transactions)} transactions (${grouped(failed)} failed) in ` +
      `${seconds.toFixed(1)} s: ${rate} blocks/s`,
    '',
    ...table(
      ['account', 'denom', 'opening', 'minted', 'in', 'out', 'burned', 'closing'],
      [...report.rows.filter(isUsed).map(rowCells), ...totals(report.rows)],
    ),
    ...purposes(report),
    ...inferences(report),
    '',
    `app hash after block ${to}: ${report.appHash}, ${CONFIRMED[report.confirmedBy]}`,
    `${grouped(report.movements)} movements of coins; the ${grouped(report.balances)} balances and the supply that ` +
      'they make are those of the state',
    `${report.invariants} invariants of all modules hold`,
    ...evidence(report),
    `no difference: ${supplyText(report)} accounted for, to the unit`,
  ];
  return `${lines.join('\n')}\n`;
}

function isUsed({ opening, minted, in: received, out, burned, closing }: BookRow): boolean {
  return [opening, minted, received, out, burned, closing].some((amount) => amount !== 0n);
}

function rowCells(row: BookRow): readonly string[] {
  const { opening, minted, in: received, out, burned, closing } = row;
  return [row.row, row.denom, ...[opening, minted, received, out, burned, closing].map(grouped)];
}

/** Received and spent of all rows are equal; what is left is what the supply did. */
function totals(rows: readonly BookRow[]): readonly (readonly string[])[] {
  const denoms = [...new Set(rows.map(({ denom }) => denom))].sort((a, b) => (a < b ? -1 : 1));
  return denoms.map((denom) => {
    const own = rows.filter((row) => row.denom === denom);
    const sum = (of: (row: BookRow) => bigint): bigint => own.reduce((total, row) => total + of(row), 0n);
    return rowCells({
      row: 'all',
      denom,
      opening: sum(({ opening }) => opening),
      minted: sum(({ minted }) => minted),
      in: sum((row) => row.in),
      out: sum(({ out }) => out),
      burned: sum(({ burned }) => burned),
      closing: sum(({ closing }) => closing),
    });
  });
}

function purposes({ purposes: sums }: AuditReport): readonly string[] {
  if (sums.length === 0) return [];
  const rows = sums.map(({ name, denom, amount }) => [name, denom, grouped(amount)]);
  return ['', ...table(['of it', 'denom', 'amount'], rows)];
}

function inferences({ inference }: AuditReport): readonly string[] {
  return inference.flatMap(({ denom, receipts, fee, parties }) => [
    '',
    `receipts of inferences: ${grouped(receipts)}; fees ${grouped(fee)}${denom} =`,
    ...table(
      ['party', 'denom', 'amount'],
      Object.entries(parties).map(([name, amount]) => [name, denom, grouped(amount)]),
    ),
  ]);
}

function evidence({ evidence: { judged, unjudged } }: AuditReport): readonly string[] {
  if (judged + unjudged === 0) return [];
  const rest = unjudged === 0 ? '' : `; ${unjudged} of heights before the replay, which it cannot judge`;
  return [`evidence that was found true: ${judged}${rest}`];
}

function supplyText({ supply }: AuditReport): string {
  return supply.length === 0
    ? 'no coins'
    : supply.map(({ denom, amount }) => `${grouped(amount)}${denom}`).join(', ');
}

/** Text to the left for names, to the right for amounts; a name and a denomination come first. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all.map((row) =>
    row
      .map((cell, column) =>
        column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}

/** `1,234,567`. */
function grouped(amount: bigint | number): string {
  return amount.toString().replace(/\B(?=(\d{3})+$)/g, ',');
}
