/** `openledgerd attest index`: builds, merges, verifies and describes indexes. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import type { ListedDocument } from '../../attest/index/documents-list.ts';
import type { IndexDirectory } from '../../attest/index/index-directory.ts';
import type { ShardEntry } from '../../attest/index/manifest.ts';
import { LedgerError, messageOf } from '../../core/errors.ts';
import { SHARD_TOKENS_MAX } from '../../modules/attribution/proof/kinds.ts';
import { systemCode, usageError } from '../failure.ts';
import type { Terminal } from '../terminal.ts';
import { ProgressView } from './progress.ts';

const DOCUMENTS_MAX = 1 << 16;
const DOCUMENTS_MAX_LIMIT = 1 << 24;
const SECRET_BYTES_MIN = 16;
const LOCK_FILE = 'lock';
/** Memory of a build. */
const BYTES_PER_TOKEN = 16;
/** What shards are looked at through. */
const LOOK_CACHE_BYTES = 1 << 22;

interface IndexCommandOptions {
  readonly index: string;
  readonly saltSecretFile?: string;
  readonly json?: boolean;
}

interface BuildCommandOptions extends IndexCommandOptions {
  readonly documents: string;
  readonly datanet: string;
  readonly entriesPerLeaf: string;
  readonly shardDocuments: string;
  readonly shardTokens: string;
}

/** Adds the commands to the group `attest`. */
export function addIndexCommands(attest: Command, terminal: Terminal): void {
  const index = attest.command('index').description('indexes of the contents of a Datanet');
  const command = (name: string, description: string): Command =>
    index
      .command(name)
      .description(description)
      .requiredOption('--index <dir>', 'directory of the index')
      .option('--json', 'one JSON object a line')
      .option('--salt-secret-file <file>', 'secret of a salted index: of a private Datanet');
  command('build', 'index documents, or the ones that are new since the last build')
    .requiredOption('--documents <file>', 'list of documents: JSON lines, see attest/index/documents-list.ts')
    .requiredOption('--datanet <id>', 'id of the Datanet')
    .option('--entries-per-leaf <count>', '1 for short proofs, 8 for a small index', '1')
    .option('--shard-documents <count>', 'most documents of a shard, a power of two', `${DOCUMENTS_MAX}`)
    .option(
      '--shard-tokens <count>',
      `most tokens of a shard, which bounds memory: ${BYTES_PER_TOKEN} bytes each`,
      `${SHARD_TOKENS_MAX}`,
    )
    .action(async (options: BuildCommandOptions) => locked(options, () => build(options, terminal)));
  command('merge', 'build shards again that hold withdrawn contributions, without their text')
    .option(
      '--prune',
      'remove shards that larger ones have taken up; published ones are needed until retired',
    )
    .action(async (options: IndexCommandOptions & { readonly prune?: boolean }) =>
      locked(options, () => merge(options, terminal)),
    );
  command('verify', 'exit code 0 when every shard follows from its texts; else names the first wrong leaf')
    .option('--shard <name>', 'only this one')
    .action(async (options: IndexCommandOptions & { readonly shard?: string }) => verify(options, terminal));
  command('stats', 'shards, documents, tokens and sizes').action(async (options: IndexCommandOptions) =>
    stats(options, terminal),
  );
}

/** Keeps others from writing to an index meanwhile. */
async function locked(options: IndexCommandOptions, write: () => Promise<void>): Promise<void> {
  const { lockOrRefuse } = await import('../process-lock.ts');
  const unlock = lockOrRefuse(join(options.index, LOCK_FILE), `a build of the index ${options.index}`);
  try {
    await write();
  } finally {
    unlock();
  }
}

async function openIndex(options: IndexCommandOptions): Promise<IndexDirectory> {
  const { IndexDirectory } = await import('../../attest/index/index-directory.ts');
  return IndexDirectory.open(options.index, { saltSecret: secretOf(options) });
}

/** @throws LedgerError (`cli.usage`) for a file that cannot be read or is too short to be secret */
export function secretOf({
  saltSecretFile,
}: Pick<IndexCommandOptions, 'saltSecretFile'>): Uint8Array | undefined {
  if (saltSecretFile === undefined) return undefined;
  const secret = readText(saltSecretFile, '--salt-secret-file');
  if (secret.length < SECRET_BYTES_MIN)
    throw usageError(
      `--salt-secret-file has ${secret.length} bytes; a secret has ${SECRET_BYTES_MIN} at least`,
    );
  return secret;
}

/** @throws LedgerError (`cli.usage`) naming the option for a file that cannot be read */
export function readText(path: string, option: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const reason = systemCode(error) ?? messageOf(error);
    throw usageError(`${option}: ${path} cannot be read (${reason}); name a file that is there`);
  }
}

function numberOf(option: string, text: string, allowed: (value: number) => boolean, rule: string): number {
  const value = Number(text);
  if (!/^\d{1,9}$/.test(text) || !allowed(value))
    throw usageError(`${option} is "${text}"; it must be ${rule}`);
  return value;
}

async function build(options: BuildCommandOptions, terminal: Terminal): Promise<void> {
  const { parseDocumentsList } = await import('../../attest/index/documents-list.ts');
  if (!/^[1-9]\d{0,18}$/.test(options.datanet))
    throw usageError(`--datanet is "${options.datanet}", not an id such as 1`);
  const text = readText(options.documents, '--documents').toString('utf8');
  const list = parseDocumentsList(text, dirname(options.documents));
  const index = await openOrCreate(options, BigInt(options.datanet));
  await checkSamePlaces(index, list);
  const view = new ProgressView(terminal, options.json === true);
  index.withdraw(
    list.slice(0, index.documents).flatMap((each) => (each.withdrawn ? [each.contributionId] : [])),
  );
  const fresh = index.grow({
    count: list.length,
    source: (position) => {
      const listed = list[position];
      if (listed === undefined) throw new RangeError(`no document ${position}`);
      return listed.load();
    },
    progress: (range, progress) => view.show(range, progress),
  });
  for (const entry of fresh) await tellShard(view, index, entry);
  const row = index.snapshot(list.length).map(({ name }) => name);
  view.event(
    'done',
    { documents: list.length, built: fresh.length, shards: row },
    `${list.length} documents in ${row.length} shards, ${fresh.length} of them new, in ${index.path}`,
  );
}

async function openOrCreate(options: BuildCommandOptions, datanetId: bigint): Promise<IndexDirectory> {
  const { IndexDirectory } = await import('../../attest/index/index-directory.ts');
  const { MANIFEST_FILE } = await import('../../attest/index/manifest.ts');
  const tokensMax = numberOf(
    '--shard-tokens',
    options.shardTokens,
    (value) => value >= 1 && value <= SHARD_TOKENS_MAX,
    `1 to ${SHARD_TOKENS_MAX}`,
  );
  const own = { saltSecret: secretOf(options), tokensMax };
  if (!existsSync(join(options.index, MANIFEST_FILE))) {
    const documentsMax = numberOf(
      '--shard-documents',
      options.shardDocuments,
      (value) => value <= DOCUMENTS_MAX_LIMIT && Number.isInteger(Math.log2(value)),
      `a power of two up to ${DOCUMENTS_MAX_LIMIT}`,
    );
    const entriesPerLeaf = numberOf(
      '--entries-per-leaf',
      options.entriesPerLeaf,
      (value) => value === 1 || value === 8,
      '1 or 8',
    );
    return IndexDirectory.create(options.index, { datanetId, entriesPerLeaf, documentsMax }, own);
  }
  const index = IndexDirectory.open(options.index, own);
  if (index.settings.datanetId !== datanetId)
    throw usageError(
      `${options.index} indexes Datanet ${index.settings.datanetId}, not ${datanetId}: build elsewhere, or remove it`,
    );
  return index;
}

/** @throws LedgerError (`cli.usage`) for a list that does not continue the one that was indexed */
async function checkSamePlaces(index: IndexDirectory, list: readonly ListedDocument[]): Promise<void> {
  const { PageCache } = await import('../../attest/index/page-cache.ts');
  const cache = new PageCache({ bytes: LOOK_CACHE_BYTES });
  if (list.length < index.documents)
    throw usageError(
      `the list has ${list.length} documents, the index ${index.documents}: lists grow; withdrawn ones stay on them`,
    );
  for (const entry of index.snapshot(index.documents)) {
    const { shard, close } = index.openShard(entry, cache);
    try {
      for (let i = 0; i < entry.documents; i++) {
        const [had, has] = [shard.document(i).contributionId, list[entry.first + i]?.contributionId];
        if (had !== has)
          throw usageError(
            `position ${entry.first + i} is contribution ${had} in the index and ${has} in the list: give the same list, longer`,
          );
      }
    } finally {
      close();
    }
  }
}

async function tellShard(view: ProgressView, index: IndexDirectory, entry: ShardEntry): Promise<void> {
  const { readHeader } = await import('../../attest/index/shard-header.ts');
  const { commitment, files } = readHeader(join(index.path, entry.name));
  const bytes = [...files.values()].reduce((sum, file) => sum + file.bytes, 0);
  const { first, documents, name } = entry;
  view.event(
    'shard',
    { name, first, documents, tokens: commitment.tokens, bytes },
    `${name}  ${documents} documents from ${first}, ${commitment.tokens} tokens, ${megabytes(bytes)}`,
  );
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 2 : 0)} MB`;
}

async function merge(
  options: IndexCommandOptions & { readonly prune?: boolean },
  terminal: Terminal,
): Promise<void> {
  const index = await openIndex(options);
  const view = new ProgressView(terminal, options.json === true);
  const fresh = index.dropWithdrawn((range, progress) => view.show(range, progress));
  for (const entry of fresh) await tellShard(view, index, entry);
  const gone = options.prune === true ? index.prune() : [];
  view.event(
    'done',
    { built: fresh.length, removed: gone },
    `${fresh.length} shards built again, ${gone.length} removed`,
  );
}

async function verify(
  options: IndexCommandOptions & { readonly shard?: string },
  terminal: Terminal,
): Promise<void> {
  const { verifyShard } = await import('../../attest/index/verify.ts');
  const index = await openIndex(options);
  const view = new ProgressView(terminal, options.json === true);
  const entries = index.shards.filter(({ name }) => options.shard === undefined || name === options.shard);
  if (entries.length === 0)
    throw usageError(
      `${index.path} has no ${options.shard === undefined ? 'shards' : `shard ${options.shard}`}`,
    );
  const saltSecret = secretOf(options);
  for (const entry of entries) {
    const fault = verifyShard(join(index.path, entry.name), {
      saltSecret,
      progress: (progress) => view.show(entry, progress),
    });
    if (fault !== undefined) {
      view.event('wrong', { name: entry.name, ...fault });
      throw new LedgerError(
        'attest.index_wrong',
        `${entry.name} is wrong: ${fault.problem}. Remove the directory and its line in index.json, and build again`,
      );
    }
    view.event('right', { name: entry.name }, `${entry.name}  right`);
  }
}

async function stats(options: IndexCommandOptions, terminal: Terminal): Promise<void> {
  const index = await openIndex(options);
  const view = new ProgressView(terminal, options.json === true);
  const { settings, documents, withdrawn } = index;
  const row = index.snapshot(documents);
  for (const entry of index.shards.toSorted((a, b) => a.first - b.first)) await tellShard(view, index, entry);
  const old = index.shards.length - row.length;
  view.event(
    'index',
    {
      ...settings,
      documents,
      shards: row.map(({ name }) => name),
      superseded: old,
      withdrawn: withdrawn.length,
    },
    `Datanet ${settings.datanetId}: ${documents} documents in ${row.length} shards of at most ` +
      `${settings.documentsMax}, leaves of ${settings.entriesPerLeaf === 1 ? '1 entry' : `${settings.entriesPerLeaf} entries`}${settings.salted ? ', salted' : ''}; ` +
      `${old} shards are taken up by larger ones, ${withdrawn.length} contributions withdrawn since`,
  );
}
