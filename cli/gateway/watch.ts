/** `openledgerd gateway watch`: judges the epochs that gateways state, and convicts what is wrong or not shown. */
import { randomInt } from 'node:crypto';
import type { Command } from 'commander';
import { type NodeOptions, withNodeOptions } from '../attest/account.ts';
import { attestLogger, repeat, wholeNumber } from '../attest/serve.ts';
import type { StopSignal } from '../devnet/run.ts';
import type { Terminal } from '../terminal.ts';
import { amountOf, everySecond, serveMetrics } from '../watching.ts';

interface WatchOptions extends NodeOptions {
  readonly interval: string;
  readonly patience: string;
  readonly metricsLaddr?: string;
  readonly logLevel: string;
  readonly demandBudget?: string;
}

/** Adds the command to the group `gateway`. */
export function addWatchCommand(gateway: Command, terminal: Terminal): void {
  withNodeOptions(
    gateway
      .command('watch')
      .description(
        'judge the epochs that gateways state, convict wrong ones and those that are not shown; Ctrl-C stops it',
      ),
  )
    .option(
      '--demand-budget <uopen>',
      'most that bonds for pieces of one epoch may cost; what its conviction pays by default',
    )
    .option('--interval <ms>', 'pause between two looks at the chain', '2000')
    .option(
      '--patience <seconds>',
      'how long a gateway is waited for in each look, whatever it is asked',
      '30',
    )
    .option('--metrics-laddr <address>', 'where to serve /metrics')
    .option('--log-level <level>', 'debug, info, warn or error', 'info')
    .action(async (options: WatchOptions) => {
      const { processStopSignal } = await import('../stop-signal.ts');
      await watch(options, terminal, processStopSignal());
    });
}

async function watch(options: WatchOptions, terminal: Terminal, stop: StopSignal): Promise<void> {
  void stop.forced.then(() => process.exit(1));
  const { EpochWatcher } = await import('../../gateway/watch/watcher.ts');
  const { EpochWatchMetrics } = await import('../../gateway/watch/metrics.ts');
  const { httpSources } = await import('../../gateway/watch/http-source.ts');
  const { FETCH_LIMITS } = await import('../../attest/watch/http-publisher.ts');
  const { accountOf, connectTo } = await import('../attest/account.ts');
  const { AccountEpochWatchChain } = await import('./watch-chain.ts');
  const patience = wholeNumber('--patience', options.patience, [1, 86_400]);
  const interval = wholeNumber('--interval', options.interval, [50, 600_000]);
  const demandBudget = amountOf('--demand-budget', options.demandBudget);
  const logger = attestLogger('gateway-watch', options.logLevel, terminal);
  const connection = await connectTo(options);
  const account = await accountOf(options, connection, terminal);
  const metrics = new EpochWatchMetrics();
  const watcher = new EpochWatcher(
    {
      chain: new AccountEpochWatchChain(connection, account),
      sources: httpSources({ ...FETCH_LIMITS, timeMs: patience * 1000 }),
      ticks: everySecond,
      logger,
      metrics,
      random: unforeseeable,
    },
    { ticksMax: patience, demandBudget },
  );
  const server = await serveMetrics(options.metricsLaddr, metrics, logger);
  terminal.out(`${account.address} watches epochs through ${options.node}\n`);
  await repeat(() => watcher.look(), interval, stop);
  await server?.stop();
  connection.comet.disconnect();
}

/** From 0 to below 1, out of 32 bits that no gateway can guess. */
function unforeseeable(): number {
  return randomInt(2 ** 32) / 2 ** 32;
}
