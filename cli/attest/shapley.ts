/** `openledgerd attest influence shapley`: what examples are worth to neighbours, whatever model is trained. */
import type { Command } from 'commander';
import type { ValueSum, ValueSums } from '../../attest/influence/value-sums.ts';
import type { Example } from '../../attest/influence/training-set.ts';
import { usageError } from '../failure.ts';
import type { Terminal } from '../terminal.ts';
import { readFile } from './files.ts';
import { wholeNumber } from '../daemon.ts';
import { type SourceOptions, sourcesOf } from './sources.ts';

interface ShapleyOptions extends SourceOptions {
  readonly examples: string;
  readonly queries: string;
  readonly neighbours: string;
  readonly json?: boolean;
}

const NEIGHBOURS_MAX = 1_000_000;
/** Lines of each list that people see. */
const SHOWN = 10;

/** Adds the command to the group `attest influence`. */
export function addShapleyCommand(influence: Command, terminal: Terminal): void {
  influence
    .command('shapley')
    .description(
      'what contributions add to the accuracy of nearest neighbours on queries: KNN-Shapley values',
    )
    .requiredOption('--examples <file>', 'JSON lines: contribution, label, features')
    .requiredOption('--queries <file>', 'the same without contribution, at most 4,096')
    .option('--neighbours <count>', 'that vote', '5')
    .option('--sources <file>', 'JSON lines: contribution, contributor, datanet; sums by these too')
    .option('--node <url>', 'ask the chain for contributors and Datanets instead')
    .option('--json', 'print one JSON object')
    .action(async (options: ShapleyOptions) => shapley(options, terminal));
}

async function shapley(options: ShapleyOptions, terminal: Terminal): Promise<void> {
  const { parseExamples, parseQueries } = await import('../../attest/influence/examples-list.ts');
  const { trainingSet } = await import('../../attest/influence/training-set.ts');
  const { accuracyOf, knnShapley, SHAPLEY_TESTS_MAX } = await import('../../attest/influence/knn-shapley.ts');
  const { valueSums } = await import('../../attest/influence/value-sums.ts');
  const { fromUtf8 } = await import('../../core/bytes.ts');
  const neighbours = wholeNumber('--neighbours', options.neighbours, [1, NEIGHBOURS_MAX]);
  const examples = parseExamples(fromUtf8(readFile('--examples', options.examples)));
  const queries = parseQueries(fromUtf8(readFile('--queries', options.queries)));
  if (queries.length > SHAPLEY_TESTS_MAX)
    throw usageError(`--queries has ${queries.length} queries, at most ${SHAPLEY_TESTS_MAX} can be`);
  const width = examples[0]?.features.length;
  if (queries[0]?.features.length !== width)
    throw usageError(`--queries has queries of other features than the examples: ${width} are needed`);
  const greatest = [...examples, ...queries].reduce((most, { label }) => Math.max(most, label), 1);
  const train = trainingSet(examples.map(withoutOffsets), greatest + 1);
  const sourceOf = await sourcesOf(options, new Set(train.contributions));
  const values = knnShapley(train, trainingSet(queries.map(withoutOffsets), greatest + 1), neighbours);
  const report = valueSums(values, train.contributions, sourceOf);
  const counts = { neighbours, examples: examples.length, queries: queries.length };
  const accuracy = (value: bigint): number => accuracyOf(value, queries.length);
  terminal.out(options.json === true ? jsonOf(report, counts, accuracy) : linesOf(report, counts, accuracy));
}

/** Neighbours know features only: what a base model says of an example is left out. */
function withoutOffsets({ features, label, contributionId }: Example): Example {
  return { features, label, contributionId };
}

interface Counts {
  readonly neighbours: number;
  readonly examples: number;
  readonly queries: number;
}

type Accuracy = (value: bigint) => number;

function jsonOf(
  { contributions, contributors, datanets }: ValueSums,
  counts: Counts,
  accuracy: Accuracy,
): string {
  const list = (sums: readonly ValueSum[]) =>
    sums.map(({ name, value }) => ({ id: name, value_q40: `${value}`, accuracy: accuracy(value) }));
  const lists = {
    contributions: list(contributions),
    contributors: list(contributors),
    datanets: list(datanets),
  };
  return `${JSON.stringify({ ...counts, ...lists })}\n`;
}

function linesOf(
  { contributions, contributors, datanets }: ValueSums,
  { neighbours, examples, queries }: Counts,
  accuracy: Accuracy,
): string {
  const lines = (what: string, sums: readonly ValueSum[]): string[] => [
    ...sums
      .slice(0, SHOWN)
      .map(({ name, value }) => `${what} ${name}: ${(100 * accuracy(value)).toFixed(3)} %\n`),
    ...(sums.length > SHOWN ? [`and ${sums.length - SHOWN} more; --json lists all\n`] : []),
  ];
  return [
    `what ${examples} examples add to the accuracy of ${neighbours} neighbours on ${queries} queries\n`,
    ...lines('contribution', contributions),
    ...lines('contributor', contributors),
    ...lines('Datanet', datanets),
  ].join('');
}
