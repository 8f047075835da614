/** `openledgerd attest …`: the off-chain half of attribution. */
import type { Command } from 'commander';
import type { Terminal } from '../terminal.ts';
import { addIndexCommands } from './index-commands.ts';
import { addTraceCommand } from './trace.ts';

/** Adds the group. */
export function addAttestCommand(program: Command, terminal: Terminal): void {
  const attest = program.command('attest').description('index contributions and trace texts to them');
  addIndexCommands(attest, terminal);
  addTraceCommand(attest, terminal);
}
