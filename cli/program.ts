/** All commands of `openledgerd`. */
import { Command } from 'commander';
import { addKeysCommand } from './keys.ts';
import { addStatusCommand } from './status.ts';
import type { Terminal } from './terminal.ts';
import { addVersionCommand, ownVersion } from './version.ts';

/** Makes the command line. */
export function createProgram(terminal: Terminal): Command {
  const program = new Command('openledgerd')
    .description('A node for payable AI: contribute data, serve models, settle every inference.')
    .version(ownVersion(), '-V, --version', 'print the version')
    .option('--trace', 'print the stack of an error')
    .showHelpAfterError('(--help shows what there is)')
    .configureOutput({
      writeErr: (text) => terminal.note(text.trimEnd().replace(/^error: /, 'openledgerd: ')),
    });
  addStatusCommand(program, terminal);
  addKeysCommand(program, terminal);
  addVersionCommand(program, terminal);
  return program;
}
