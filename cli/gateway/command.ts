/** `openledgerd gateway …`: serving models for vouchers, and judging who does. */
import type { Command } from 'commander';
import type { Terminal } from '../terminal.ts';
import { addRegisterCommand } from './register.ts';
import { addServeCommand } from './serve.ts';
import { addWatchCommand } from './watch.ts';

/** Adds the group. */
export function addGatewayCommand(program: Command, terminal: Terminal): void {
  const gateway = program
    .command('gateway')
    .description('serve models for vouchers of payment channels, watch those who do');
  addRegisterCommand(gateway, terminal);
  addServeCommand(gateway, terminal);
  addWatchCommand(gateway, terminal);
}
