/** `openledgerd light` */
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { fromHex } from '../../core/bytes.ts';
import { parseDuration } from '../../node/config/duration.ts';
import { parseListenAddress } from '../../node/config/address.ts';
import { HASH_BYTES } from '../../core/hash.ts';
import { CHAIN_ID_FORM, checkForm } from '../forms.ts';
import { usageError } from '../failure.ts';
import { rpcUrl } from '../status.ts';
import type { Terminal } from '../terminal.ts';
import type { LightProxySettings } from './proxy.ts';

interface CommandOptions {
  readonly primary: string;
  readonly witnesses: string;
  readonly trustedHeight?: string;
  readonly trustedHash?: string;
  readonly trustingPeriod: string;
  readonly trustLevel: string;
  readonly laddr: string;
  readonly dir?: string;
  readonly sequential?: boolean;
  readonly passUnverified?: boolean;
  readonly yes?: boolean;
  readonly logLevel: string;
}

/** Adds the command. */
export function addLightCommand(program: Command, terminal: Terminal): void {
  program
    .command('light')
    .description("serve a node's RPC, every answer verified by a light client; Ctrl-C stops it")
    .argument('<chain-id>', 'the chain')
    .requiredOption('--primary <url>', 'RPC of the node to ask')
    .requiredOption('--witnesses <urls>', 'RPC of other nodes to compare with, comma-separated')
    .option('--trusted-height <height>', 'a height whose block you trust; needed the first time')
    .option('--trusted-hash <hash>', 'the hash of that block, from a source that you trust')
    .option(
      '--trusting-period <duration>',
      'how long a block is trusted; well below the unbonding time',
      '168h',
    )
    .option('--trust-level <fraction>', 'power that must have signed what is skipped to, 1/3 to 1', '1/3')
    .option('--laddr <address>', 'where to listen', 'tcp://127.0.0.1:8888')
    .option('--dir <dir>', 'where verified blocks are kept (default: ~/.openledgerd-light/<chain-id>)')
    .option('--sequential', 'verify every block instead of skipping')
    .option('--pass-unverified', 'pass on answers that nothing can prove, such as gRPC queries')
    .option('-y, --yes', 'forget verified blocks that contradict the trusted one without asking')
    .option('--log-level <level>', 'debug, info, warn or error', 'info')
    .action(async (chainId: string, options: CommandOptions) => {
      const { runLight } = await import('./run.ts');
      const { processStopSignal } = await import('../stop-signal.ts');
      const settings = settingsOf(chainId, options);
      await runLight(
        { settings, logLevel: options.logLevel, yes: options.yes === true },
        terminal,
        processStopSignal(),
      );
    });
}

/** Settings as the options say, without what the terminal adds. */
export type CommandSettings = Omit<LightProxySettings, 'confirm' | 'logger'>;

/** @throws LedgerError `cli.usage` naming the option that is wrong */
export function settingsOf(chainId: string, options: CommandOptions): CommandSettings {
  checkForm('the chain id', chainId, CHAIN_ID_FORM);
  const primary = rpcUrl(options.primary);
  const witnesses = options.witnesses.split(',').map((url) => rpcUrl(url.trim()));
  if (witnesses.includes(primary))
    throw usageError('the primary cannot be its own witness: --witnesses must name other nodes');
  return {
    chainId,
    primary,
    witnesses,
    trust: trustOf(options),
    trustingPeriodMs: durationOf(options.trustingPeriod),
    trustLevel: levelOf(options.trustLevel),
    sequential: options.sequential === true,
    passUnverified: options.passUnverified === true,
    listen: parseListenAddress(options.laddr),
    directory: options.dir ?? join(homedir(), '.openledgerd-light', chainId),
  };
}

function trustOf({ trustedHeight, trustedHash }: CommandOptions): CommandSettings['trust'] {
  if (trustedHeight === undefined && trustedHash === undefined) return undefined;
  if (trustedHeight === undefined || trustedHash === undefined)
    throw usageError('--trusted-height and --trusted-hash belong together');
  if (!/^[1-9]\d{0,17}$/.test(trustedHeight))
    throw usageError('--trusted-height must be a whole number from 1');
  if (!/^[0-9a-fA-F]*$/.test(trustedHash) || trustedHash.length !== 2 * HASH_BYTES)
    throw usageError(`--trusted-hash must have ${2 * HASH_BYTES} hexadecimal digits`);
  return { height: BigInt(trustedHeight), hash: fromHex(trustedHash) };
}

function durationOf(text: string): number {
  try {
    return parseDuration(text);
  } catch {
    throw usageError(`--trusting-period must be a duration such as 168h, not "${text}"`);
  }
}

function levelOf(text: string): CommandSettings['trustLevel'] {
  const match = /^(\d{1,9})(?:\/(\d{1,9}))?$/.exec(text);
  if (match === null) throw usageError(`--trust-level must be a fraction such as 1/3, not "${text}"`);
  return { numerator: BigInt(match[1] ?? '1'), denominator: BigInt(match[2] ?? '1') };
}
