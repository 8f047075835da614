/** `openledgerd attest trace`: which documents of an index a text draws on, word for word. */
import { readFileSync, writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { TraceReport } from '../../attest/trace/report.ts';
import { LedgerError } from '../../core/errors.ts';
import { DEFAULT_PREFIX } from '../defaults.ts';
import { DEFAULT_COLUMNS } from '../demo/table.ts';
import { systemCode, usageError } from '../failure.ts';
import type { Terminal } from '../terminal.ts';

const MEGABYTE = 1 << 20;
const CACHE_MEGABYTES = 64;
const CACHE_MEGABYTES_MAX = 4_096;

interface TraceCommandOptions {
  readonly index: string;
  readonly text: string;
  readonly documents?: string;
  readonly html?: string;
  readonly json?: boolean;
  readonly prefix: string;
  readonly cache: string;
}

/** Adds the command to the group `attest`. */
export function addTraceCommand(attest: Command, terminal: Terminal): void {
  attest
    .command('trace')
    .description('find what a text has word for word from the documents of an index, and whose it is')
    .requiredOption('--index <dir>', 'the index')
    .requiredOption('--text <file>', 'the text to trace; - is standard input')
    .option('--documents <count>', 'trace to the first so many documents (default: all)')
    .option('--html <file>', 'write a page with all passages and documents')
    .option('--json', 'print the report as JSON')
    .option('--prefix <prefix>', 'of addresses', DEFAULT_PREFIX)
    .option('--cache <MB>', 'memory for pages of the index', `${CACHE_MEGABYTES}`)
    .action(async (options: TraceCommandOptions) => {
      const report = await reportFor(options);
      if (options.html !== undefined) await writePage(report, options.html, terminal);
      if (options.json === true) {
        terminal.out(`${JSON.stringify(report, undefined, 2)}\n`);
        return;
      }
      const { traceText } = await import('./trace-text.ts');
      const colours = terminal.interactive && process.env['NO_COLOR'] === undefined;
      terminal.out(traceText(report, { columns: terminal.columns ?? DEFAULT_COLUMNS, colours }));
    });
}

async function reportFor(options: TraceCommandOptions): Promise<TraceReport> {
  const { IndexDirectory } = await import('../../attest/index/index-directory.ts');
  const { PageCache } = await import('../../attest/index/page-cache.ts');
  const { Corpus } = await import('../../attest/query/corpus.ts');
  const { traceOutput } = await import('../../attest/trace/trace.ts');
  const { reportOf } = await import('../../attest/trace/report.ts');
  const { toBech32 } = await import('../../core/bech32.ts');
  const bytes = countOf('--cache', options.cache, CACHE_MEGABYTES_MAX) * MEGABYTE;
  const output = readText(options.text);
  const index = IndexDirectory.open(options.index);
  const count = options.documents === undefined ? index.documents : countOf('--documents', options.documents);
  const cache = new PageCache({ bytes });
  const opened = index.snapshot(count).map((entry) => index.openShard(entry, cache));
  try {
    const withdrawn = new Set(index.withdrawn);
    const corpus = new Corpus(
      opened.map(({ shard }) => shard),
      { isWithdrawn: (id) => withdrawn.has(id) },
    );
    const addressOf = (address: Uint8Array): string => toBech32(options.prefix, address);
    return reportOf(traceOutput(output, corpus), { documents: corpus.documents, addressOf });
  } finally {
    for (const shard of opened) shard.close();
  }
}

function countOf(name: string, text: string, most: number = Number.MAX_SAFE_INTEGER): number {
  const count = /^\d+$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > most)
    throw usageError(`${name} is "${text}", but must be a whole number from 1 to ${most}`);
  return count;
}

function readText(file: string): Uint8Array {
  try {
    return readFileSync(file === '-' ? process.stdin.fd : file);
  } catch (cause) {
    throw new LedgerError('cli.file', `cannot read --text ${file} (${systemCode(cause)})`, {}, cause);
  }
}

async function writePage(report: TraceReport, file: string, terminal: Terminal): Promise<void> {
  const { pageOf } = await import('../../attest/trace/html.ts');
  try {
    writeFileSync(file, pageOf(report, { title: 'What this text draws on' }));
  } catch (cause) {
    throw new LedgerError('cli.file', `cannot write --html ${file} (${systemCode(cause)})`, {}, cause);
  }
  terminal.note(`the page is ${file}`);
}
