/** `openledgerd export`: the state of a stopped node as a genesis document. */
import type { Command } from 'commander';
import { defaultHome } from './defaults.ts';
import type { Terminal } from './terminal.ts';

/** What is exported, as the command line has it. */
export interface ExportCommandOptions {
  readonly home: string;
  /** Decimal; `-1`: the last. */
  readonly height: string;
  readonly forZeroHeight?: boolean;
  readonly jailAllowedAddrs: readonly string[];
  readonly modulesToExport: readonly string[];
  readonly outputDocument?: string;
}

/** Adds the command. Names of options and the document's shape are simd's. */
export function addExportCommand(program: Command, terminal: Terminal): void {
  program
    .command('export')
    .description('print the state of a stopped node as a genesis document from which a chain begins')
    .option('--home <dir>', 'home of the node', defaultHome())
    .option('--height <height>', 'state of this height; -1: the last', '-1')
    .option('--for-zero-height', 'prepare the state for a chain that begins at height 0')
    .option('--jail-allowed-addrs <list>', 'operators that stay out of jail at height 0', list, [])
    .option('--modules-to-export <list>', 'only the sections of these modules', list, [])
    .option('--output-document <file>', 'write to this file instead of standard output')
    .action(async (options: ExportCommandOptions) => {
      const { exportGenesis } = await import('./genesis/export.ts');
      const text = await exportGenesis(options);
      if (text !== undefined) terminal.out(text);
    });
}

/** Names between commas; given again, they add up. */
function list(text: string, before: readonly string[]): readonly string[] {
  const names = text.split(',').map((name) => name.trim());
  return [...before, ...names.filter((name) => name !== '')];
}
