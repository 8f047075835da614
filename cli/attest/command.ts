/** `openledgerd attest …`: the off-chain half of attribution. */
import type { Command } from 'commander';
import type { Terminal } from '../terminal.ts';
import { addIndexCommands } from './index-commands.ts';
import { addInfluenceCommands } from './influence.ts';
import { addPublishCommand } from './publish.ts';
import { addServeCommand } from './serve.ts';
import { addTraceCommand } from './trace.ts';
import { addWatchCommand } from './watch.ts';

/** Adds the group. */
export function addAttestCommand(program: Command, terminal: Terminal): void {
  const attest = program
    .command('attest')
    .description('index contributions, trace texts to them, publish and serve indexes, watch others');
  addIndexCommands(attest, terminal);
  addTraceCommand(attest, terminal);
  addPublishCommand(attest, terminal);
  addServeCommand(attest, terminal);
  addWatchCommand(attest, terminal);
  addInfluenceCommands(attest, terminal);
}
