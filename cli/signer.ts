/** `openledgerd signer` */
import type { Command } from 'commander';
import { usageError } from './failure.ts';
import type { Terminal } from './terminal.ts';

/** What signs, where it dials, and for which chain. */
export interface SignerOptions {
  readonly home?: string;
  readonly key?: string;
  readonly state?: string;
  readonly address: string;
  readonly chainId?: string;
  readonly logLevel: string;
  readonly logFormat: string;
}

/** Adds the command. */
export function addSignerCommand(program: Command, terminal: Terminal): void {
  program
    .command('signer')
    .description('sign for a validator from another process or machine: dials the node, holds the key')
    .requiredOption(
      '--address <address>',
      "the node's priv_validator_laddr: tcp://host:port, tcp://<node id>@host:port, unix:///path",
    )
    .option('--chain-id <id>', 'the one chain to sign for (default: that of the genesis in --home)')
    .option('--home <dir>', 'take key and state from this home')
    .option('--key <file>', 'priv_validator_key.json')
    .option('--state <file>', 'priv_validator_state.json; only ever one copy of it')
    .option('--log-level <level>', 'a level, or levels by module', 'info')
    .option('--log-format <format>', 'plain or json', 'plain')
    .action(async (options: SignerOptions) => {
      const named = [options.key, options.state].filter((file) => file !== undefined).length;
      if (named === 1 || (named === 0) === (options.home === undefined)) {
        throw usageError('give either --home, or --key and --state');
      }
      const { runSigner } = await import('./run-signer.ts');
      const { processStopSignal } = await import('./stop-signal.ts');
      await runSigner(options, terminal, processStopSignal());
    });
}
