/** `openledgerd attest influence shapley`: what examples are worth to neighbours, whatever model is trained. */
import type { Command } from 'commander';
import type { ContributionSource, ShapleyReport, ValueSum } from '../../attest/influence/shapley-report.ts';
import type { Example } from '../../attest/influence/training-set.ts';
import { usageError } from '../failure.ts';
import { DEFAULT_DENOM } from '../defaults.ts';
import type { Terminal } from '../terminal.ts';
import { readFile } from './files.ts';
import { wholeNumber } from './serve.ts';

interface ShapleyOptions {
  readonly examples: string;
  readonly queries: string;
  readonly neighbours: string;
  readonly sources?: string;
  readonly node?: string;
  readonly json?: boolean;
}

type SourceOf = (contributionId: bigint) => ContributionSource | undefined;

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
  const { knnShapley, SHAPLEY_TESTS_MAX } = await import('../../attest/influence/knn-shapley.ts');
  const { accuracyOf, shapleyReport } = await import('../../attest/influence/shapley-report.ts');
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
  const report = shapleyReport(values, train.contributions, sourceOf);
  const counts = { neighbours, examples: examples.length, queries: queries.length };
  const accuracy = (value: bigint): number => accuracyOf(value, queries.length);
  terminal.out(options.json === true ? jsonOf(report, counts, accuracy) : linesOf(report, counts, accuracy));
}

/** Neighbours know features only: what a base model says of an example is left out. */
function withoutOffsets({ features, label, contributionId }: Example): Example {
  return { features, label, contributionId };
}

/** Who contributions are of, as a file or the chain says; nothing when neither is named. */
async function sourcesOf({ sources, node }: ShapleyOptions, ids: ReadonlySet<bigint>): Promise<SourceOf> {
  if (sources !== undefined && node !== undefined)
    throw usageError('--sources and --node both say whose contributions are; name one');
  if (sources === undefined && node === undefined) return () => undefined;
  const known = sources === undefined ? await askedFor(node ?? '', ids) : readSources(sources);
  for (const id of ids)
    if (!known.has(id))
      throw usageError(`${sources ?? 'the chain'} does not say whose contribution ${id} is`);
  return (id) => known.get(id);
}

function readSources(path: string): ReadonlyMap<bigint, ContributionSource> {
  const known = new Map<bigint, ContributionSource>();
  const lines = Buffer.from(readFile('--sources', path)).toString('utf8').split('\n');
  for (const [i, line] of lines.entries()) {
    if (line.trim() === '') continue;
    const [id, source] = sourceIn(line) ?? [];
    if (id === undefined || source === undefined)
      throw usageError(
        `line ${i + 1} of --sources is not like {"contribution": 1, "contributor": "…", "datanet": 1}`,
      );
    known.set(id, source);
  }
  return known;
}

function sourceIn(line: string): readonly [bigint, ContributionSource] | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof parsed !== 'object' || parsed === null) return undefined;
  const id = idOf(Reflect.get(parsed, 'contribution'));
  const datanetId = idOf(Reflect.get(parsed, 'datanet'));
  const contributor: unknown = Reflect.get(parsed, 'contributor');
  if (id === undefined || datanetId === undefined || typeof contributor !== 'string') return undefined;
  return [id, { contributor, datanetId }];
}

function idOf(value: unknown): bigint | undefined {
  const text = typeof value === 'number' ? `${value}` : value;
  return typeof text === 'string' && /^\d{1,20}$/.test(text) ? BigInt(text) : undefined;
}

async function askedFor(
  node: string,
  ids: ReadonlySet<bigint>,
): Promise<ReadonlyMap<bigint, ContributionSource>> {
  const { connectTo } = await import('./account.ts');
  const { AttestChain } = await import('./chain.ts');
  const connection = await connectTo({ node, gasPrices: `0${DEFAULT_DENOM}` });
  const known = new Map<bigint, ContributionSource>();
  try {
    const chain = new AttestChain(connection);
    for (const id of ids) {
      const found = await chain.contribution(id);
      if (found !== undefined) known.set(id, found);
    }
  } finally {
    connection.comet.disconnect();
  }
  return known;
}

interface Counts {
  readonly neighbours: number;
  readonly examples: number;
  readonly queries: number;
}

type Accuracy = (value: bigint) => number;

function jsonOf(
  { contributions, contributors, datanets }: ShapleyReport,
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
  { contributions, contributors, datanets }: ShapleyReport,
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
