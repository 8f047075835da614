/** `openledgerd gateway serve`: answers requests for vouchers, and settles what was charged. */
import type { Command } from 'commander';
import { daemonLogger, repeat, wholeNumber } from '../daemon.ts';
import type { StopSignal } from '../devnet/run.ts';
import type { Terminal } from '../terminal.ts';
import { boundsOf, type ServeOptions, withServeOptions } from './serve-options.ts';

/** Adds the command to the group `gateway`. */
export function addServeCommand(gateway: Command, terminal: Terminal): void {
  withServeOptions(
    gateway
      .command('serve')
      .description('answer requests for vouchers, claim them, state and serve epochs; Ctrl-C stops it'),
  ).action(async (options: ServeOptions) => {
    const { processStopSignal } = await import('../stop-signal.ts');
    await serve(options, terminal, processStopSignal());
  });
}

async function serve(options: ServeOptions, terminal: Terminal, stop: StopSignal): Promise<void> {
  void stop.forced.then(() => process.exit(1));
  const bounds = await boundsOf(options);
  const interval = wholeNumber('--interval', options.interval, [50, 600_000]);
  const { requireBackend } = await import('./backend.ts');
  const { accountOf, connectTo } = await import('../attest/account.ts');
  const { startGateway } = await import('./daemon.ts');
  await requireBackend(options.backend);
  const logger = daemonLogger('gateway', options.logLevel, terminal);
  const connection = await connectTo(options);
  try {
    const account = await accountOf(options, connection, terminal);
    const { home, prefix } = options;
    const daemon = await startGateway({ connection, account, logger, home, prefix }, bounds);
    try {
      terminal.out(`${account.address} serves ${options.model.length} models at ${daemon.url}\n`);
      const requested = Promise.race([stop.requested, daemon.failed]);
      await repeat(() => daemon.round(), interval, { ...stop, requested });
    } finally {
      await daemon.stop();
    }
    daemon.requireWhole();
  } finally {
    connection.comet.disconnect();
  }
}
