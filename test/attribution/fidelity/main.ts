/**
 * Measures how well integer influence tells what retraining does, and writes the table:
 * `npm run fidelity -- --pool 14 --lambda 1e-3 --seeds 1,2`. A full run takes about an hour of one core.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ProgramOptions } from '../../support/program-options.ts';
import { measureCosts } from './costs.ts';
import { loadDigits } from './digits.ts';
import { measure } from './measure.ts';
import { measureMislabels } from './mislabels.ts';
import { documentOf, keyOf, type Result } from './table.ts';

const PAGE = join(import.meta.dirname, '..', '..', '..', 'docs', 'attribution', 'influence-fidelity.md');
const LAMBDAS = ['1e-1', '1e-2', '1e-3', '1e-4', '1e-5'];
const USUAL_LAMBDA = 1e-3;
const FLIPS = [0.1, 0.2];

const options = new ProgramOptions({
  command: 'npm run fidelity',
  purpose: 'influence of training examples in integers, against retraining.',
});
const pools = options.numbers('pool', { fallback: [14, 7], help: 'sides of the pooled images: 14, 7' });
const lambdaText = options.text('lambda', {
  fallback: LAMBDAS.join(','),
  help: 'of the L2 term, commas between',
});
const seeds = options.numbers('seeds', {
  fallback: [1, 2, 3, 4, 5],
  help: 'what splits and subsets follow from',
});
const page = options.text('page', { fallback: PAGE, help: 'the page to write; results lie beside it' });
const onlyTable = options.flag('table', 'write the page from the results there are');
const onlyMislabels = options.flag('mislabels', 'only flipped labels');
const onlyCosts = options.flag('costs', 'only times, of the first seed');
const skipMislabels = options.flag('no-mislabels', 'without flipped labels');
const lambdas = lambdaText.split(',').map(Number);
if (pools.some((side) => side !== 14 && side !== 7)) options.fail('--pool is 14 or 7');
if (lambdas.some((lambda) => !(lambda > 0 && lambda < 1))) options.fail(`--lambda "${lambdaText}"`);
options.end();

const file = page.replace(/\.md$/, '.jsonl');
const results = new Map<string, Result>();
for (const result of readResults()) results.set(keyOf(result), result);

function readResults(): Result[] {
  try {
    const lines = readFileSync(file, 'utf8').split('\n');
    return lines.filter((line) => line !== '').map((line): Result => JSON.parse(line));
  } catch {
    return [];
  }
}

/** Results there are by now: another run may have written some. */
function note(result: Result): void {
  for (const other of readResults()) if (!results.has(keyOf(other))) results.set(keyOf(other), other);
  results.set(keyOf(result), result);
  const sorted = [...results.values()].toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  mkdirSync(dirname(page), { recursive: true });
  writeFileSync(file, sorted.map((each) => `${JSON.stringify(each)}\n`).join(''));
  writeFileSync(page, documentOf(sorted));
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

if (onlyTable) {
  writeFileSync(page, documentOf([...results.values()]));
} else {
  const digits = loadDigits();
  const sizes = { train: 5_000, test: 500 };
  for (const side of pools) {
    if (onlyCosts || !(onlyMislabels || skipMislabels))
      note({
        kind: 'costs',
        ...measureCosts(digits, { ...sizes, side, lambda: USUAL_LAMBDA, seed: seeds[0] ?? 1, queries: 100 }),
      });
    for (const seed of onlyCosts ? [] : seeds) {
      for (const lambda of onlyMislabels ? [] : lambdas)
        note({
          kind: 'fidelity',
          ...measure(digits, { ...sizes, side, lambda, seed, queries: 100, subsets: 50, removals: 100 }),
        });
      for (const flips of skipMislabels ? [] : FLIPS)
        note({
          kind: 'mislabels',
          ...measureMislabels(digits, { ...sizes, side, lambda: USUAL_LAMBDA, seed, flips }),
        });
    }
  }
}
