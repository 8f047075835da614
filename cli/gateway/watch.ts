/** `openledgerd gateway watch`: judges the epochs that gateways state, and convicts what is wrong or not shown. */
import { randomInt } from 'node:crypto';
import type { Command } from 'commander';
import { everySecond } from '../daemon.ts';
import type { Terminal } from '../terminal.ts';
import {
  type StartedWatch,
  type WatchCommandOptions,
  type WatchGround,
  watchUntilStopped,
  withWatchOptions,
} from '../watch-command.ts';

/** Adds the command to the group `gateway`. */
export function addWatchCommand(gateway: Command, terminal: Terminal): void {
  const command = gateway
    .command('watch')
    .description(
      'judge the epochs that gateways state, convict wrong ones and those that are not shown; Ctrl-C stops it',
    );
  withWatchOptions(command, {
    demanded: 'pieces of one epoch',
    patience: 'how long a gateway is waited for in each look, whatever it is asked',
  }).action(async (options: WatchCommandOptions) => {
    const { processStopSignal } = await import('../stop-signal.ts');
    await watchUntilStopped({
      ...{ options, terminal, stop: processStopSignal() },
      module: 'gateway-watch',
      start: startWatch,
    });
  });
}

async function startWatch(ground: WatchGround): Promise<StartedWatch> {
  const { EpochWatcher } = await import('../../gateway/watch/watcher.ts');
  const { EpochWatchMetrics } = await import('../../gateway/watch/metrics.ts');
  const { httpSources } = await import('../../gateway/watch/http-source.ts');
  const { FETCH_LIMITS } = await import('../../attest/watch/http-publisher.ts');
  const { AccountEpochWatchChain } = await import('./watch-chain.ts');
  const { connection, account, logger, patience, demandBudget } = ground;
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
  return { metrics, what: 'epochs ', rounds: [() => watcher.look()] };
}

/** From 0 to below 1, out of 32 bits that no gateway can guess. */
function unforeseeable(): number {
  return randomInt(2 ** 32) / 2 ** 32;
}
