/** Runs an audit for a terminal. */
import { genesisHash } from '../../genesis/encode.ts';
import { toUpperHex } from '../../core/bytes.ts';
import { LedgerError } from '../../core/errors.ts';
import { type CheckedGenesis, checkGenesis, readGenesisFile } from '../home/genesis-file.ts';
import { usageError } from '../failure.ts';
import type { Terminal } from '../terminal.ts';
import { archiveSource, writeArchive } from './archive.ts';
import { type AuditReport, runAudit } from './audit.ts';
import type { AuditSettings, ExportSettings, SourceSettings } from './command.ts';
import { AuditDifference } from './difference.ts';
import { type HomeStores, homeSource, openHomeStores } from './home-source.ts';
import { AuditView } from './progress.ts';
import { Replay, type ReplayProgram } from './replay.ts';
import { reportText } from './report.ts';
import { rpcSource } from './rpc-source.ts';
import type { BlockSource } from './source.ts';
import { readTrustedState } from './trusted-state.ts';

/** A source, and the stores where it is a home. */
interface Opened {
  readonly source: BlockSource;
  readonly stores: HomeStores | undefined;
}

/**
 * Audits and prints the report.
 * @throws AuditDifference when the chain is not what its blocks make, other LedgerErrors when nobody can tell
 */
export async function runAuditCommand(settings: AuditSettings, terminal: Terminal): Promise<void> {
  const view = new AuditView(terminal, { json: settings.json, nowMs: () => performance.now() });
  const opened = await openSource(settings.source);
  try {
    const genesis = await genesisOf(opened.source, settings.genesisFile);
    const started = await start(settings, opened, genesis);
    try {
      const report = await replayed(settings, { ...opened, ...started, view });
      const facts = { source: opened.source.name, start: started.start, seconds: view.seconds() };
      if (settings.json) view.event('report', { ...facts, ...report });
      else view.done(reportText(report, facts));
    } catch (error) {
      if (error instanceof AuditDifference && settings.json)
        view.event('difference', { ...error.difference });
      throw error;
    } finally {
      view.end();
      await started.replay.close();
    }
  } finally {
    await opened.source.close();
  }
}

/** Writes blocks of a source as files. */
export async function runAuditExport(settings: ExportSettings, terminal: Terminal): Promise<void> {
  const { source } = await openSource(settings.source);
  try {
    const range = await source.range();
    const genesis = await source.genesis();
    if (genesis === undefined)
      throw new LedgerError('audit.genesis', `${source.name} has no genesis document`);
    const { from = range.base, to = range.height } = settings;
    if (from < range.base || to > range.height || to < from)
      throw usageError(`${source.name} has blocks ${range.base} to ${range.height}`);
    const { output: directory } = settings;
    const count = await writeArchive(source, { directory, from, to, genesis });
    terminal.out(`${count} blocks, ${from} to ${to}, in ${directory}\n`);
  } finally {
    await source.close();
  }
}

async function openSource({ home, node, blocks }: SourceSettings): Promise<Opened> {
  if (node !== undefined) return { source: rpcSource(node), stores: undefined };
  if (blocks !== undefined) return { source: archiveSource(blocks), stores: undefined };
  const stores = await openHomeStores(home);
  return { source: homeSource(stores), stores };
}

async function genesisOf(source: BlockSource, file: string | undefined): Promise<CheckedGenesis> {
  if (file !== undefined) return readGenesisFile(file);
  const text = await source.genesis();
  if (text === undefined) throw usageError(`${source.name} has no genesis document: name one with --genesis`);
  return checkGenesis(text);
}

interface Started {
  readonly replay: Replay;
  /** With what, for the report. */
  readonly start: string;
}

async function start(
  settings: AuditSettings,
  { source, stores }: Opened,
  genesis: CheckedGenesis,
): Promise<Started> {
  const program: ReplayProgram = { genesis, skipUpgrades: settings.skipUpgrades };
  const { trustState } = settings;
  if (trustState === undefined) {
    const hash = toUpperHex(genesisHash(genesis.document));
    const from = settings.genesisFile ?? `the genesis of ${source.name}`;
    return { replay: Replay.fromGenesis(program), start: `${from}, hash ${hash}` };
  }
  const { height, home } = trustState;
  const own = home === undefined || home === stores?.home.home ? stores : undefined;
  const kept = own ?? (await openHomeStores(home ?? settings.source.home));
  try {
    const state = await readTrustedState(kept, { height, genesis, source });
    const hash = toUpperHex(state.chain.appHash);
    const start = `the state of ${kept.home.home} after block ${height}, app hash ${hash}, which you trust`;
    return { replay: Replay.fromState(program, state), start };
  } finally {
    if (kept !== own) await kept.close();
  }
}

async function replayed(
  settings: AuditSettings,
  { source, replay, view }: Opened & Started & { readonly view: AuditView },
): Promise<AuditReport> {
  const { lastBlockHeight, initialHeight } = replay.state;
  const first = lastBlockHeight === 0n ? initialHeight : lastBlockHeight + 1n;
  const { from = first, to = (await source.range()).height, trusted } = settings;
  if (trusted !== undefined && (trusted.height < first || trusted.height > to))
    throw usageError(`--trusted-height ${trusted.height} is not among the blocks ${first} to ${to}`);
  const { results, compareEvery, invariantsEvery } = settings;
  view.begin();
  return await runAudit(
    { source, replay, progress: (progress) => view.progress(progress) },
    { from, to, trusted, results, compareEvery, invariantsEvery },
  );
}
