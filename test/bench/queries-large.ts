/** `--only queries-large`: traces and proofs on all mails, and on ten times as much. */
import type { Report } from './report.ts';
import { proofRows } from './proof-report.ts';
import { traceGrowth, type TraceFigures, traceRows } from './trace-report.ts';
import { allMails, indexMails, variedCopies } from './trace-material.ts';

/** The same queries on both: they should grow with the logarithm of the tokens at most. */
export function reportQueriesLarge(report: Report): readonly TraceFigures[] {
  const mails = allMails();
  const measured = [mails, variedCopies(mails)].map((contents) => {
    const material = indexMails(contents, Number.MAX_SAFE_INTEGER, 1);
    const figures = traceRows(report, material);
    proofRows(report, material);
    return figures;
  });
  traceGrowth(report, measured);
  return measured;
}
