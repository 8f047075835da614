/** `openledgerd attest watch`: recomputes what others publish and convicts what is wrong. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { amountOf, everySecond, wholeNumber } from '../daemon.ts';
import type { Terminal } from '../terminal.ts';
import { type OwnBounds, type PlaceOptions, watcherOptions } from './watcher-options.ts';
import {
  type StartedWatch,
  type WatchCommandOptions,
  type WatchGround,
  watchUntilStopped,
  withWatchOptions,
} from '../watch-command.ts';

interface WatchOptions extends WatchCommandOptions, PlaceOptions {
  readonly textBytesMax: string;
  readonly spendMax?: string;
}

/** Adds the command to the group `attest`. */
export function addWatchCommand(attest: Command, terminal: Terminal): void {
  const command = attest
    .command('watch')
    .description(
      'recompute published indexes, model cards and optimistic claims, convict wrong ones; Ctrl-C stops it',
    );
  withWatchOptions(command, {
    demanded: 'the texts of one shard',
    patience:
      'how long an endpoint is waited for in each look, whatever it is asked; those of a shard share it',
  })
    .option('--dir <dir>', 'texts and recomputed shards', join(homedir(), '.openledgerd-watch'))
    .option('--source <urls...>', 'other attestors to ask for texts', [])
    .option(
      '--contents <dir>',
      'folder with texts, under any names: those of private Datanets are not served',
    )
    .option(
      '--salt-secrets <file>',
      'lines of "datanet ID FILE" or "shard ID FILE": secrets of salted indexes',
    )
    .option(
      '--spend-max <uopen>',
      'most that bonds may cost in a challenge window over all shards and cards, and in one of claims over all claims, steps to convictions apart; by default four times what a conviction with the least bond pays',
    )
    .option('--text-bytes-max <bytes>', 'longest text that is fetched, and all at a time', String(2 ** 30))
    .action(async (options: WatchOptions) => {
      const { processStopSignal } = await import('../stop-signal.ts');
      const bounds = {
        textBytesMax: wholeNumber('--text-bytes-max', options.textBytesMax, [1, 2 ** 32]),
        spendMax: amountOf('--spend-max', options.spendMax),
      };
      await watchUntilStopped({
        ...{ options, terminal, stop: processStopSignal() },
        module: 'watch',
        start: (ground) => startWatch(ground, options, bounds),
      });
    });
}

async function startWatch(
  { connection, account, logger, patience, demandBudget }: WatchGround,
  options: WatchOptions,
  bounds: OwnBounds,
): Promise<StartedWatch> {
  const { Watcher } = await import('../../attest/watch/watcher.ts');
  const { WatchMetrics } = await import('../../attest/watch/metrics.ts');
  const { CardCache } = await import('../../attest/watch/card-cache.ts');
  const { TextCache } = await import('../../attest/watch/text-cache.ts');
  const { FETCH_LIMITS, httpPublishers } = await import('../../attest/watch/http-publisher.ts');
  const { AttestChain } = await import('./chain.ts');
  const { AccountWatchChain } = await import('./watch-chain.ts');
  const metrics = new WatchMetrics();
  const watcher = new Watcher(
    {
      chain: new AccountWatchChain(new AttestChain(connection), account),
      publishers: httpPublishers({ ...FETCH_LIMITS, timeMs: patience * 1000 }),
      ticks: everySecond,
      cache: new TextCache(options.dir),
      cards: new CardCache(options.dir),
      logger,
      metrics,
    },
    await watcherOptions(options, { ...bounds, demandBudget, ticksMax: patience }),
  );
  return { metrics, what: '', rounds: [() => watcher.lookAtClaims(), () => watcher.lookAtPublished()] };
}
