/** `openledgerd genesis` */
import { join } from 'node:path';
import type { Command } from 'commander';
import { defaultHome } from './defaults.ts';
import type { Terminal } from './terminal.ts';

/** Adds the commands. */
export function addGenesisCommand(program: Command, terminal: Terminal): void {
  const genesis = program.command('genesis').description('work with genesis files');
  genesis
    .command('validate [file]')
    .description('check a genesis file (default: that of the home)')
    .option('--home <dir>', 'home of the node', defaultHome())
    .action(async (file: string | undefined, options: { readonly home: string }) => {
      const { readGenesisFile } = await import('./home/genesis-file.ts');
      const path = file ?? join(options.home, 'config', 'genesis.json');
      const { document } = readGenesisFile(path);
      terminal.out(
        `${path} is valid: chain ${document.chainId}, ${document.validators.length} validator(s), ` +
          `starts at height ${document.initialHeight}\n`,
      );
    });
}
