/** `openledgerd audit`: replays the money of a chain from its blocks. */
import type { Command } from 'commander';
import { fromHex } from '../../core/bytes.ts';
import { HASH_BYTES } from '../../core/hash.ts';
import { defaultHome } from '../defaults.ts';
import { usageError } from '../failure.ts';
import { rpcUrl } from '../status.ts';
import type { Terminal } from '../terminal.ts';

const COMPARE_EVERY = '1000';

/** Where the blocks are: `node`, else `blocks`, else `home`. */
export interface SourceSettings {
  readonly home: string;
  /** URL of an RPC. */
  readonly node: string | undefined;
  /** Directory that `audit export` wrote. */
  readonly blocks: string | undefined;
}

/** What an audit is told. */
export interface AuditSettings {
  readonly source: SourceSettings;
  readonly genesisFile: string | undefined;
  readonly from: bigint | undefined;
  readonly to: bigint | undefined;
  /** Begin with the state after a height, of a home; without one, that of the source. */
  readonly trustState: { readonly height: bigint; readonly home: string | undefined } | undefined;
  readonly trusted: { readonly height: bigint; readonly hash: Uint8Array } | undefined;
  readonly results: boolean;
  readonly compareEvery: bigint;
  readonly invariantsEvery: bigint;
  readonly skipUpgrades: readonly bigint[];
  readonly json: boolean;
}

/** What an export is told. */
export interface ExportSettings {
  readonly source: SourceSettings;
  readonly output: string;
  readonly from: bigint | undefined;
  readonly to: bigint | undefined;
}

interface SourceOptions {
  readonly home?: string;
  readonly node?: string;
  readonly blocks?: string;
  readonly from?: string;
  readonly to?: string;
}

interface AuditOptions extends SourceOptions {
  readonly genesis?: string;
  readonly trustState?: string;
  readonly stateHome?: string;
  readonly trustedHeight?: string;
  readonly trustedHash?: string;
  readonly results?: boolean;
  readonly compareEvery: string;
  readonly invariantsEvery: string;
  readonly unsafeSkipUpgrades?: string;
  readonly json?: boolean;
}

/** Adds the command and its subcommand. */
export function addAuditCommand(program: Command, terminal: Terminal): void {
  const audit = withSource(program.command('audit'))
    .description('execute the blocks again and account for every coin; exit code 0 when nothing differs')
    .option('--genesis <file>', 'genesis document that you trust (default: that of the source)')
    .option('--from <height>', 'first block of the report (default: the first of the replay)')
    .option('--to <height>', 'last block (default: the last there is)')
    .option(
      '--trust-state <height>',
      'begin with the state that a home keeps after this block, not with genesis',
    )
    .option('--state-home <dir>', 'the home of that state (default: that of the blocks)')
    .option('--trusted-height <height>', 'a height whose block hash you know')
    .option('--trusted-hash <hash>', 'the hash of that block: the replay must come to it')
    .option('--results', 'also compare the results of transactions that the node tells of')
    .option('--compare-every <blocks>', 'compare all balances every so many blocks', COMPARE_EVERY)
    .option(
      '--invariants-every <blocks>',
      "check all modules' invariants every so many blocks; 0: at the end",
      '0',
    )
    .option('--unsafe-skip-upgrades <heights>', 'heights whose upgrades the chain went past without them')
    .option('--json', 'one JSON object a line')
    .action(async (options: AuditOptions) => {
      const { runAuditCommand } = await import('./run.ts');
      await runAuditCommand(auditSettings(options), terminal);
    });
  withSource(audit.command('export'))
    .description('write blocks as files that "audit --blocks" reads')
    .requiredOption('--output <dir>', 'new or empty directory')
    .option('--from <height>', 'first block (default: the first there is)')
    .option('--to <height>', 'last block (default: the last there is)')
    .action(async (_: unknown, command: Command) => {
      const { runAuditExport } = await import('./run.ts');
      // The options of both commands are read by the one above.
      const options = command.optsWithGlobals<SourceOptions & { readonly output: string }>();
      const settings = { source: sourceOf(options), output: options.output, ...rangeOf(options) };
      await runAuditExport(settings, terminal);
    });
}

function withSource(command: Command): Command {
  return command
    .option('--home <dir>', `blocks of the stopped node in this home (default: ${defaultHome()})`)
    .option('--node <url>', 'blocks of the node with this RPC')
    .option('--blocks <dir>', 'blocks that were exported to this directory');
}

/** @throws LedgerError `cli.usage` naming the option that is wrong */
export function auditSettings(options: AuditOptions): AuditSettings {
  const { trustState, stateHome, genesis: genesisFile } = options;
  if (trustState === undefined && stateHome !== undefined)
    throw usageError('--state-home goes with --trust-state, which names the height');
  const source = sourceOf(options);
  if (trustState !== undefined && stateHome === undefined && (source.node ?? source.blocks) !== undefined)
    throw usageError('--trust-state needs --state-home here: these blocks come without a state');
  return {
    source,
    genesisFile,
    ...rangeOf(options),
    trustState:
      trustState === undefined
        ? undefined
        : { height: countOf('--trust-state', trustState, 1n), home: stateHome },
    trusted: trustedOf(options),
    results: options.results === true,
    compareEvery: countOf('--compare-every', options.compareEvery, 1n),
    invariantsEvery: countOf('--invariants-every', options.invariantsEvery, 0n),
    skipUpgrades: (options.unsafeSkipUpgrades ?? '')
      .split(',')
      .filter((text) => text.trim() !== '')
      .map((text) => countOf('--unsafe-skip-upgrades', text.trim(), 1n)),
    json: options.json === true,
  };
}

function sourceOf({ home, node, blocks }: SourceOptions): SourceSettings {
  const given = [home, node, blocks].filter((each) => each !== undefined);
  if (given.length > 1) throw usageError('--home, --node and --blocks: the blocks come from one of them');
  return { home: home ?? defaultHome(), node: node === undefined ? undefined : rpcUrl(node), blocks };
}

function rangeOf({ from, to }: SourceOptions): Pick<AuditSettings, 'from' | 'to'> {
  return {
    from: from === undefined ? undefined : countOf('--from', from, 1n),
    to: to === undefined ? undefined : countOf('--to', to, 1n),
  };
}

function trustedOf({ trustedHeight, trustedHash }: AuditOptions): AuditSettings['trusted'] {
  if (trustedHeight === undefined && trustedHash === undefined) return undefined;
  if (trustedHeight === undefined || trustedHash === undefined)
    throw usageError('--trusted-height and --trusted-hash belong together');
  if (!/^[0-9a-fA-F]*$/.test(trustedHash) || trustedHash.length !== 2 * HASH_BYTES)
    throw usageError(`--trusted-hash must have ${2 * HASH_BYTES} hexadecimal digits`);
  return { height: countOf('--trusted-height', trustedHeight, 1n), hash: fromHex(trustedHash) };
}

function countOf(option: string, text: string, least: bigint): bigint {
  if (!/^\d{1,18}$/.test(text) || BigInt(text) < least)
    throw usageError(`${option} is "${text}"; it must be a whole number from ${least}`);
  return BigInt(text);
}
