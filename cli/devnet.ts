/** `openledgerd devnet` */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseDuration } from '../node/config/duration.ts';
import type { DevnetOptions } from './devnet/settings.ts';
import { DEFAULT_DEVNET_HOME } from './defaults.ts';
import type { Terminal } from './terminal.ts';

interface CommandOptions extends Omit<DevnetOptions, 'reset' | 'json' | 'blockTimeMs'> {
  readonly blockTime?: number;
  readonly reset?: boolean;
  readonly json?: boolean;
}

/** Adds the command. */
export function addDevnetCommand(program: Command, terminal: Terminal): void {
  program
    .command('devnet')
    .description('run a chain of several validators here, for development; Ctrl-C stops it')
    .option('--validators <n>', 'validators, 1 to 10 (default: 4)', wholeNumber)
    .option('--home <dir>', 'where it lives', DEFAULT_DEVNET_HOME)
    .option('--chain-id <id>', 'chain id (default: openledger-devnet-1)')
    .option('--block-time <duration>', 'time between blocks (default: 1s)', durationArgument)
    .option('--prefix <prefix>', 'bech32 prefix of addresses (default: open)')
    .option('--denom <denom>', 'base denomination (default: uopen)')
    .option(
      '--rpc-port <port>',
      "first node's RPC port, the others follow; 0: any free (default: 26657)",
      wholeNumber,
    )
    .option('--accounts <n>', 'prefunded accounts (default: 6)', wholeNumber)
    .option(
      '--mnemonic <words>',
      'mnemonic of the first account; the others are made of it (default: random)',
    )
    .option('--reset', 'delete what is there and start afresh')
    .addOption(new Option('--json', 'print one JSON object a line: ready, then each block'))
    .action(async (options: CommandOptions) => {
      const { runDevnet } = await import('./devnet/run.ts');
      const { processStopSignal } = await import('./stop-signal.ts');
      const { blockTime, reset = false, json = false, ...rest } = options;
      await runDevnet({ ...rest, blockTimeMs: blockTime, reset, json }, terminal, processStopSignal());
    });
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

function durationArgument(text: string): number {
  try {
    return parseDuration(text);
  } catch {
    throw new InvalidArgumentError('It must be a duration such as 500ms or 1s.');
  }
}
