import type { Command } from 'commander';
import { DEFAULT_DEVNET_HOME } from '../defaults.ts';
import { wholeNumber } from '../daemon.ts';
import type { Terminal } from '../terminal.ts';

interface CommandOptions {
  readonly home: string;
  readonly rpc?: string;
  readonly json?: boolean;
  readonly inferences: string;
}

/** All receipts of an epoch are in memory. */
const INFERENCES_MAX = 1_000_000;

/** Adds `demo`. What it needs is loaded when it runs. */
export function addDemoCommand(program: Command, terminal: Terminal): void {
  program
    .command('demo')
    .description('play the economic loop on a running devnet: contribute, snapshot, infer, attribute, pay')
    .option('--home <folder>', 'home of the devnet, for its accounts', DEFAULT_DEVNET_HOME)
    .option('--rpc <url>', "a node's RPC; default: the first of the devnet's that answers")
    .option('--json', 'print one JSON object a line: what was settled, what was refused, the sums')
    .option('--inferences <count>', 'how many are settled by channels and an epoch', '100000')
    .action(async (options: CommandOptions) => {
      const inferences = wholeNumber('--inferences', options.inferences, [0, INFERENCES_MAX]);
      const { runDemo } = await import('./run.ts');
      await runDemo({ ...options, inferences }, terminal);
    });
}
