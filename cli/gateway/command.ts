/** `openledgerd gateway …`: serving models for vouchers. */
import type { Command } from 'commander';
import type { Terminal } from '../terminal.ts';
import { addRegisterCommand } from './register.ts';
import { addServeCommand } from './serve.ts';

/** Adds the group. */
export function addGatewayCommand(program: Command, terminal: Terminal): void {
  const gateway = program.command('gateway').description('serve models for vouchers of payment channels');
  addRegisterCommand(gateway, terminal);
  addServeCommand(gateway, terminal);
}
