/** `openledgerd wal`: looks at the consensus log of a stopped node, and mends it. */
import { join } from 'node:path';
import type { Command } from 'commander';
import { fromUint64BigEndian, toUpperHex } from '../core/bytes.ts';
import { LedgerError, messageOf } from '../core/errors.ts';
import type { WalFiles } from '../node/wal/files.ts';
import type { PlacedRecord, WalFileReport, WalRepair } from '../node/wal/inspect.ts';
import { defaultHome } from './defaults.ts';
import type { Terminal } from './terminal.ts';

interface WalOptions {
  readonly home: string;
}

/** Adds the commands. */
export function addWalCommand(program: Command, terminal: Terminal): void {
  const wal = program.command('wal').description("look at a node's consensus log, or mend it");
  wal
    .command('list')
    .description('the files of the log: sizes, records, heights, damage')
    .option('--home <dir>', 'home of the node', defaultHome())
    .option('--json', 'one JSON object a line')
    .action(async (options: WalOptions & { readonly json?: boolean }) => {
      const { inspectWal } = await import('../node/wal/inspect.ts');
      const reports = inspectWal(await openFiles(options.home));
      for (const report of reports)
        terminal.out(`${options.json === true ? json(report) : lineOf(report)}\n`);
      if (reports.length === 0) terminal.note('the log has no files yet');
    });
  wal
    .command('show')
    .description('every record, one JSON object a line, oldest first')
    .option('--home <dir>', 'home of the node', defaultHome())
    .option('--height <height>', 'only the inputs of this height')
    .action(async (options: WalOptions & { readonly height?: string }) => show(options, terminal));
  wal
    .command('verify')
    .description('exit code 0 when every byte is good')
    .option('--home <dir>', 'home of the node', defaultHome())
    .action(async (options: WalOptions) => {
      const { planRepair } = await import('../node/wal/inspect.ts');
      const repair = planRepair(await openFiles(options.home));
      if (repair !== undefined)
        throw new LedgerError('wal.corrupt', `${damageOf(repair)}. ${advice(repair)}`);
      terminal.out('the log is whole\n');
    });
  wal
    .command('repair')
    .description('cut the log at its first damage; what is cut off stays beside it')
    .option('--home <dir>', 'home of the node', defaultHome())
    .option('--dry-run', 'only say what would be done')
    .action(async (options: WalOptions & { readonly dryRun?: boolean }) => repair(options, terminal));
}

async function show(options: WalOptions & { readonly height?: string }, terminal: Terminal): Promise<void> {
  const [{ recordsOf }, { END_HEIGHT_TYPE }, { readRecord }] = await Promise.all([
    import('../node/wal/inspect.ts'),
    import('../node/wal/wal.ts'),
    import('../node/engine/wal-codec.ts'),
  ]);
  const wanted = options.height === undefined ? undefined : heightOf(options.height);
  // The inputs of a height lie between the marker of the one before it and its own.
  let ended: bigint | undefined;
  for (const placed of recordsOf(await openFiles(options.home))) {
    const isMarker = placed.record.type === END_HEIGHT_TYPE;
    const marker = isMarker ? fromUint64BigEndian(placed.record.payload) : undefined;
    const height = marker ?? (ended === undefined ? undefined : ended + 1n);
    if (wanted === undefined || height === wanted) {
      const what =
        marker === undefined ? contentsOf(placed, readRecord) : { kind: 'endHeight', height: marker };
      terminal.out(`${json({ file: placed.file, offset: placed.offset, ...what })}\n`);
    }
    ended = marker ?? ended;
  }
}

async function repair(
  options: WalOptions & { readonly dryRun?: boolean },
  terminal: Terminal,
): Promise<void> {
  const [{ planRepair, repairWal }, { lockOrRefuse }, { nodeLockPath }] = await Promise.all([
    import('../node/wal/inspect.ts'),
    import('./process-lock.ts'),
    import('./home/node-lock.ts'),
  ]);
  const files = await openFiles(options.home);
  const unlock = lockOrRefuse(nodeLockPath(options.home), `the node in ${options.home}`);
  try {
    const done = options.dryRun === true ? planRepair(files) : repairWal(files);
    if (done === undefined) return terminal.out('the log is whole; nothing was changed\n');
    terminal.out(
      `${damageOf(done)}\n${options.dryRun === true ? 'would be set aside' : 'set aside'}: ${asideOf(done)}\n`,
    );
    terminal.note(CAUTION);
  } finally {
    unlock();
  }
}

const CAUTION =
  'The signing state still prevents signing anything twice. But this validator has forgotten what it was locked on in the ' +
  'height under way: never repair the logs of validators with a third of the power or more within one height.';

async function openFiles(home: string): Promise<WalFiles> {
  const [{ openHome }, { DirectoryWalFiles }, { FILE_PATTERN }] = await Promise.all([
    import('./home/open.ts'),
    import('../node/wal/files.ts'),
    import('../node/wal/wal.ts'),
  ]);
  return new DirectoryWalFiles(join(openHome(home).dataDir, 'cs.wal'), FILE_PATTERN);
}

function heightOf(text: string): bigint {
  if (!/^[1-9]\d{0,18}$/.test(text))
    throw new LedgerError('cli.usage', `--height is "${text}", not a height such as 42`);
  return BigInt(text);
}

function contentsOf(
  { record }: PlacedRecord,
  readRecord: typeof import('../node/engine/wal-codec.ts').readRecord,
): object {
  try {
    const item = readRecord(record);
    if (item.kind === 'part') return { kind: 'part', index: item.part.index, bytes: item.part.bytes.length };
    return item.input;
  } catch (error) {
    return { kind: 'unreadable', type: record.type, reason: messageOf(error), payload: record.payload };
  }
}

function lineOf({ name, bytes, records, endHeights, damage }: WalFileReport): string {
  const heights =
    endHeights === undefined ? 'no height ends' : `ends of heights ${endHeights.first} to ${endHeights.last}`;
  const state =
    damage === undefined
      ? 'whole'
      : {
          torn: `torn at byte ${damage.offset}: a crash while writing`,
          corrupt: `damaged at byte ${damage.offset}, in what was safely on the disk`,
          format: 'written by an earlier version of this program',
        }[damage.kind];
  return `${name}  ${bytes} bytes, ${records} records, ${heights}, ${state}`;
}

function damageOf({ kind, cut, lastEndHeight }: WalRepair): string {
  if (kind === 'format') return `${cut.name} was written by an earlier version of this program`;
  const known = lastEndHeight === undefined ? 'no height' : `heights up to ${lastEndHeight}`;
  return `${cut.name} is damaged at byte ${cut.keptBytes}; before it the log knows ${known}`;
}

function advice(found: WalRepair): string {
  return `\`openledgerd wal repair\` sets aside ${asideOf(found)}`;
}

function asideOf({ cut, asideFiles }: WalRepair): string {
  return [`${cut.asideBytes} bytes of ${cut.name}`, ...asideFiles].join(', ');
}

function json(value: object): string {
  return JSON.stringify(printable(value));
}

/** Bytes become hex, 64-bit numbers decimal text, as in the RPC. */
function printable(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Uint8Array) return toUpperHex(value);
  if (Array.isArray(value)) return value.map(printable);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, printable(each)]));
}
