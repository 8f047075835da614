/** `openledgerd start` */
import type { Command } from 'commander';
import { defaultHome } from './defaults.ts';
import type { Terminal } from './terminal.ts';

/** Settings of `config.toml` that an option replaces for one run. */
export interface StartOptions {
  readonly home: string;
  readonly rpcLaddr?: string;
  readonly p2pLaddr?: string;
  readonly persistentPeers?: string;
  readonly minimumGasPrices?: string;
  readonly logLevel?: string;
  readonly logFormat?: string;
}

/** Adds the command. */
export function addStartCommand(program: Command, terminal: Terminal): void {
  program
    .command('start')
    .description('run a node; SIGTERM or Ctrl-C stops it')
    .option('--home <dir>', 'home of the node', defaultHome())
    .option('--rpc-laddr <address>', 'instead of rpc.laddr in config.toml')
    .option('--p2p-laddr <address>', 'instead of p2p.laddr')
    .option('--persistent-peers <list>', 'instead of p2p.persistent_peers')
    .option('--minimum-gas-prices <coins>', 'instead of minimum-gas-prices in app.toml')
    .option('--log-level <level>', 'instead of log_level')
    .option('--log-format <format>', 'instead of log_format: plain or json')
    .action(async (options: StartOptions) => {
      const { runNode } = await import('./run-node.ts');
      const { processStopSignal } = await import('./stop-signal.ts');
      await runNode(options, terminal, processStopSignal());
    });
}
