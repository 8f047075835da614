/** Whose contributions are, as a file or the chain says: for sums by contributor and Datanet. */
import type { ContributionSource } from '../../attest/influence/value-sums.ts';
import { DEFAULT_DENOM } from '../defaults.ts';
import { usageError } from '../failure.ts';
import { readFile } from './files.ts';

/** Where to look. */
export interface SourceOptions {
  /** A file of JSON lines: contribution, contributor, datanet. */
  readonly sources?: string;
  /** A node to ask. */
  readonly node?: string;
}

type SourceOf = (contributionId: bigint) => ContributionSource | undefined;

/**
 * Who contributions are of; nothing when neither is named.
 * @throws LedgerError when both are, or when one of the contributions is not known
 */
export async function sourcesOf(
  { sources, node }: SourceOptions,
  ids: ReadonlySet<bigint>,
): Promise<SourceOf> {
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
