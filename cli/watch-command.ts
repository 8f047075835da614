/** What the commands that watch share: their options, and rounds until they are asked to stop. */
import type { Command } from 'commander';
import type { Connection } from '../client/index.ts';
import type { Logger } from '../node/logging/logger.ts';
import type { WatcherMetrics } from '../watch/metrics.ts';
import { type Account, accountOf, connectTo, type NodeOptions, withNodeOptions } from './attest/account.ts';
import { amountOf, daemonLogger, repeat, serveMetrics, wholeNumber } from './daemon.ts';
import type { StopSignal } from './devnet/run.ts';
import type { Terminal } from './terminal.ts';

/** Options of every command that watches. */
export interface WatchCommandOptions extends NodeOptions {
  readonly demandBudget?: string;
  readonly interval: string;
  readonly patience: string;
  readonly metricsLaddr?: string;
  readonly logLevel: string;
}

/** What the help says of them, where it differs. */
export interface WatchCommandWords {
  /** "the texts of one shard" */
  readonly demanded: string;
  /** Who is waited for. */
  readonly patience: string;
}

/** Adds them to a command. */
export function withWatchOptions(command: Command, { demanded, patience }: WatchCommandWords): Command {
  return withNodeOptions(command)
    .option(
      '--demand-budget <uopen>',
      `most that bonds for ${demanded} may cost; what its conviction pays by default`,
    )
    .option('--interval <ms>', 'pause between two looks at the chain', '2000')
    .option('--patience <seconds>', patience, '30')
    .option('--metrics-laddr <address>', 'where to serve /metrics')
    .option('--log-level <level>', 'debug, info, warn or error', 'info');
}

/** What a watcher is made of. */
export interface WatchGround {
  readonly connection: Connection;
  readonly account: Account;
  readonly logger: Logger;
  /** Seconds that an endpoint is waited for in a round. */
  readonly patience: number;
  readonly demandBudget: bigint | undefined;
}

/** A watcher that can begin. */
export interface StartedWatch {
  readonly metrics: WatcherMetrics;
  /** What stands behind "ADDRESS watches". */
  readonly what: string;
  /** Each is done again and again, beside the others. */
  readonly rounds: readonly (() => Promise<unknown>)[];
}

/** How a command watches. */
export interface WatchCommand {
  readonly options: WatchCommandOptions;
  readonly terminal: Terminal;
  readonly stop: StopSignal;
  /** What stands in the logs. */
  readonly module: string;
  readonly start: (ground: WatchGround) => Promise<StartedWatch>;
}

/** Watches until it is asked to stop. @throws LedgerError `cli.usage`; `attest.chain` when no node answers */
export async function watchUntilStopped(command: WatchCommand): Promise<void> {
  const { options, terminal, stop, module, start } = command;
  void stop.forced.then(() => process.exit(1));
  const patience = wholeNumber('--patience', options.patience, [1, 86_400]);
  const interval = wholeNumber('--interval', options.interval, [50, 600_000]);
  const demandBudget = amountOf('--demand-budget', options.demandBudget);
  const logger = daemonLogger(module, options.logLevel, terminal);
  const connection = await connectTo(options);
  const account = await accountOf(options, connection, terminal);
  const { metrics, what, rounds } = await start({ connection, account, logger, patience, demandBudget });
  const server = await serveMetrics(options.metricsLaddr, metrics, logger);
  terminal.out(`${account.address} watches ${what}through ${options.node}\n`);
  await Promise.all(rounds.map((round) => repeat(round, interval, stop)));
  await server?.stop();
  connection.comet.disconnect();
}
