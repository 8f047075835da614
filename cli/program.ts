/** All commands of `openledgerd`. */
import { type AddHelpTextContext, Command } from 'commander';
import { addAttestCommand } from './attest/command.ts';
import { addAuditCommand } from './audit/command.ts';
import { addCompileCommand } from './compile.ts';
import { addDemoCommand } from './demo/command.ts';
import { addDevnetCommand } from './devnet.ts';
import { addExplainCommand } from './explain/command.ts';
import { addExportCommand } from './export.ts';
import { addGatewayCommand } from './gateway/command.ts';
import { addGenesisCommand } from './genesis/command.ts';
import { addInitCommand } from './init.ts';
import { addKeysCommand } from './keys.ts';
import { addLightCommand } from './light/command.ts';
import { addSignerCommand } from './signer.ts';
import { addStartCommand } from './start.ts';
import { addStatusCommand } from './status.ts';
import type { Terminal } from './terminal.ts';
import { addVersionCommand, ownVersion } from './version.ts';
import { addWalCommand } from './wal.ts';

/** Makes the command line. */
export function createProgram(terminal: Terminal): Command {
  const program = new Command('openledgerd')
    .description('A node for payable AI: contribute data, serve models, settle every inference.')
    .version(ownVersion(), '-V, --version', 'print the version')
    .option('--trace', 'print the stack of an error')
    .showHelpAfterError('(--help shows what there is)')
    .configureOutput({
      writeOut: (text) => terminal.out(text),
      writeErr: (text) => terminal.note(text.trimEnd().replace(/^error: /, 'openledgerd: ')),
    })
    .addHelpText('beforeAll', refuseUnknownCommand);
  addDevnetCommand(program, terminal);
  addDemoCommand(program, terminal);
  addInitCommand(program, terminal);
  addStartCommand(program, terminal);
  addSignerCommand(program, terminal);
  addStatusCommand(program, terminal);
  addLightCommand(program, terminal);
  addAttestCommand(program, terminal);
  addGatewayCommand(program, terminal);
  addKeysCommand(program, terminal);
  addGenesisCommand(program, terminal);
  addExportCommand(program, terminal);
  addExplainCommand(program, terminal);
  addAuditCommand(program, terminal);
  addWalCommand(program, terminal);
  addVersionCommand(program, terminal);
  addCompileCommand(program);
  return program;
}

/**
 * Commander looks for `--help` before it looks for a command: `openledgerd typo --help` would print the help
 * of openledgerd and succeed, as if it were there.
 */
function refuseUnknownCommand({ error, command }: AddHelpTextContext): string {
  const [name] = command.args;
  if (error || command.commands.length === 0 || name === undefined || name.startsWith('-')) return '';
  const known = command.createHelp().visibleCommands(command);
  if (!known.some((each) => each.name() === name)) command.error(`error: unknown command '${name}'`);
  return '';
}
