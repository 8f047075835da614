/** `openledgerd attest watch`: recomputes what others publish and convicts what is wrong. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { StopSignal } from '../devnet/run.ts';
import type { Terminal } from '../terminal.ts';
import { type NodeOptions, withNodeOptions } from './account.ts';
import { attestLogger, repeat, wholeNumber } from './serve.ts';
import { amountOf, everySecond, serveMetrics } from '../watching.ts';

interface WatchOptions extends NodeOptions {
  readonly dir: string;
  readonly source: readonly string[];
  readonly interval: string;
  readonly patience: string;
  readonly textBytesMax: string;
  readonly metricsLaddr?: string;
  readonly logLevel: string;
  readonly contents?: string;
  readonly saltSecrets?: string;
  readonly demandBudget?: string;
  readonly spendMax?: string;
}

/** Adds the command to the group `attest`. */
export function addWatchCommand(attest: Command, terminal: Terminal): void {
  withNodeOptions(
    attest
      .command('watch')
      .description(
        'recompute published indexes, model cards and optimistic claims, convict wrong ones; Ctrl-C stops it',
      ),
  )
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
      '--demand-budget <uopen>',
      'most that bonds for the texts of one shard may cost; what its conviction pays by default',
    )
    .option(
      '--spend-max <uopen>',
      'most that bonds may cost in a challenge window over all shards and cards, and in one of claims over all claims, steps to convictions apart; by default four times what a conviction with the least bond pays',
    )
    .option('--interval <ms>', 'pause between two looks at the chain', '2000')
    .option(
      '--patience <seconds>',
      'how long an endpoint is waited for in each look, whatever it is asked; those of a shard share it',
      '30',
    )
    .option('--text-bytes-max <bytes>', 'longest text that is fetched, and all at a time', String(2 ** 30))
    .option('--metrics-laddr <address>', 'where to serve /metrics')
    .option('--log-level <level>', 'debug, info, warn or error', 'info')
    .action(async (options: WatchOptions) => {
      const { processStopSignal } = await import('../stop-signal.ts');
      await watch(options, terminal, processStopSignal());
    });
}

async function watch(options: WatchOptions, terminal: Terminal, stop: StopSignal): Promise<void> {
  void stop.forced.then(() => process.exit(1));
  const { Watcher } = await import('../../attest/watch/watcher.ts');
  const { WatchMetrics } = await import('../../attest/watch/metrics.ts');
  const { CardCache } = await import('../../attest/watch/card-cache.ts');
  const { TextCache } = await import('../../attest/watch/text-cache.ts');
  const { FETCH_LIMITS, httpPublishers } = await import('../../attest/watch/http-publisher.ts');
  const { accountOf, connectTo } = await import('./account.ts');
  const { AttestChain } = await import('./chain.ts');
  const { AccountWatchChain } = await import('./watch-chain.ts');
  const patience = wholeNumber('--patience', options.patience, [1, 86_400]);
  const textBytesMax = wholeNumber('--text-bytes-max', options.textBytesMax, [1, 2 ** 32]);
  const interval = wholeNumber('--interval', options.interval, [50, 600_000]);
  const demandBudget = amountOf('--demand-budget', options.demandBudget);
  const spendMax = amountOf('--spend-max', options.spendMax);
  const logger = attestLogger('watch', options.logLevel, terminal);
  const connection = await connectTo(options);
  const account = await accountOf(options, connection, terminal);
  const metrics = new WatchMetrics();
  const chain = new AccountWatchChain(new AttestChain(connection), account);
  const cache = new TextCache(options.dir);
  const watcher = new Watcher(
    {
      chain,
      publishers: httpPublishers({ ...FETCH_LIMITS, timeMs: patience * 1000 }),
      ticks: everySecond,
      cache,
      cards: new CardCache(options.dir),
      logger,
      metrics,
    },
    {
      sources: options.source,
      ticksMax: patience,
      textBytesMax,
      demandBudget,
      spendMax,
      spentFile: join(options.dir, 'spent'),
      ...(await privateParts(options)),
    },
  );
  const server = await serveMetrics(options.metricsLaddr, metrics, logger);
  terminal.out(`${account.address} watches through ${options.node}\n`);
  await Promise.all([
    repeat(() => watcher.lookAtClaims(), interval, stop),
    repeat(() => watcher.lookAtPublished(), interval, stop),
  ]);
  await server?.stop();
  connection.comet.disconnect();
}

/** What is known of private Datanets. */
async function privateParts({
  contents,
  saltSecrets: list,
}: WatchOptions): Promise<
  Pick<import('../../attest/watch/watcher.ts').WatcherOptions, 'texts' | 'secretOf'>
> {
  const { ContentsFolder } = await import('./contents-folder.ts');
  const { saltSecrets } = await import('./salt-secrets.ts');
  const folder = contents === undefined ? undefined : new ContentsFolder(contents);
  return {
    secretOf: list === undefined ? undefined : saltSecrets(list),
    texts: folder && {
      content: async (root) => folder.find(root),
      leaves: async () => undefined,
      nodes: async () => undefined,
      influenceLeaves: async () => undefined,
    },
  };
}
