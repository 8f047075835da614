/** `openledgerd attest serve`: serves attributions and shards, and answers requests on the chain. */
import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import type { Logger } from '../../node/logging/logger.ts';
import { parseListenAddress } from '../../node/config/address.ts';
import { messageOf } from '../../core/errors.ts';
import type { ServedCard } from '../../attest/influence/published.ts';
import type { HeadLibrary } from '../../attest/serve/head-library.ts';
import type { InfluencePool } from '../../attest/serve/influence-pool.ts';
import { daemonLogger, repeat, wholeNumber } from '../daemon.ts';
import type { StopSignal } from '../devnet/run.ts';
import { usageError } from '../failure.ts';
import type { Terminal } from '../terminal.ts';
import { type NodeOptions, withNodeOptions } from './account.ts';

interface ServeOptions extends NodeOptions {
  readonly index: readonly string[];
  readonly head: readonly string[];
  readonly laddr: string;
  readonly cacheMb: string;
  readonly saltSecretFile?: string;
  readonly interval: string;
  readonly connectionsPerAddress: string;
  readonly influenceWorkers: string;
  readonly logLevel: string;
}

/** Each holds all heads. */
const INFLUENCE_WORKERS_MAX = 64;

/** Adds the command to the group `attest`. */
export function addServeCommand(attest: Command, terminal: Terminal): void {
  withNodeOptions(
    attest
      .command('serve')
      .description(
        'serve attributions, shards, texts and model cards; answer requests on the chain; Ctrl-C stops it',
      ),
  )
    .option('--index <dirs...>', 'directories of the indexes', [])
    .option('--head <files...>', 'model cards with their leaves, as "attest influence train" writes them', [])
    .option('--laddr <address>', 'where to listen', 'tcp://127.0.0.1:8790')
    .option('--cache-mb <size>', 'memory for pages of the indexes', '256')
    .option('--salt-secret-file <file>', 'secret of those indexes that are salted: of private Datanets')
    .option('--interval <ms>', 'pause between two looks at the chain', '1000')
    .option(
      '--connections-per-address <count>',
      'behind a proxy all are of its address: as many as it opens',
      '32',
    )
    .option(
      '--influence-workers <count>',
      'threads that compute influence, each with all heads',
      String(Math.max(1, availableParallelism() - 1)),
    )
    .option('--log-level <level>', 'debug, info, warn or error', 'info')
    .action(async (options: ServeOptions) => {
      const { processStopSignal } = await import('../stop-signal.ts');
      await serve(options, terminal, processStopSignal());
    });
}

/** What the options say, checked. */
interface Bounds {
  readonly host: string;
  readonly port: number;
  readonly interval: number;
  readonly connectionsPerAddressMax: number;
  readonly cacheBytes: number;
  readonly workers: number;
}

/** @throws LedgerError `cli.usage` */
async function boundsOf(options: ServeOptions): Promise<Bounds> {
  const { SERVE_LIMITS } = await import('../../attest/serve/limits.ts');
  if (options.index.length + options.head.length === 0)
    throw usageError('name what is to be served: --index <dir>, --head <file>, or both');
  return {
    ...parseListenAddress(options.laddr),
    interval: wholeNumber('--interval', options.interval, [50, 600_000]),
    connectionsPerAddressMax: wholeNumber('--connections-per-address', options.connectionsPerAddress, [
      1,
      SERVE_LIMITS.connectionsMax,
    ]),
    cacheBytes: wholeNumber('--cache-mb', options.cacheMb, [1, 4096]) * 2 ** 20,
    workers: wholeNumber('--influence-workers', options.influenceWorkers, [1, INFLUENCE_WORKERS_MAX]),
  };
}

async function serve(options: ServeOptions, terminal: Terminal, stop: StopSignal): Promise<void> {
  void stop.forced.then(() => process.exit(1));
  const { HeadLibrary } = await import('../../attest/serve/head-library.ts');
  const bounds = await boundsOf(options);
  const logger = daemonLogger('attest', options.logLevel, terminal);
  const cards = await readHeads(options.head);
  const engine = cards.length === 0 ? undefined : await startInfluence(cards, bounds.workers, logger);
  const heads = new HeadLibrary(cards, engine === undefined ? {} : { engine });
  try {
    await serveHeads(heads, { options, bounds, logger, terminal, stop });
  } finally {
    await engine?.stop();
  }
}

interface Serving {
  readonly options: ServeOptions;
  readonly bounds: Bounds;
  readonly logger: Logger;
  readonly terminal: Terminal;
  readonly stop: StopSignal;
}

/** Serves these heads and the indexes of the options until it is asked to stop. */
async function serveHeads(
  heads: HeadLibrary,
  { options, bounds, logger, terminal, stop }: Serving,
): Promise<void> {
  const { attestService } = await import('../../attest/serve/service.ts');
  const { ShardLibrary } = await import('../../attest/serve/shard-library.ts');
  const { Answerer } = await import('../../attest/serve/answerer.ts');
  const { secretOf } = await import('./index-commands.ts');
  const { ServedIndexes } = await import('./served-indexes.ts');
  const { accountOf, connectTo } = await import('./account.ts');
  const { answerChain } = await import('./answer-chain.ts');
  const { AttestChain } = await import('./chain.ts');
  const { expectPending, PendingStatements } = await import('./submitted-claims.ts');
  const { host, port, interval, connectionsPerAddressMax, cacheBytes } = bounds;
  const library = new ShardLibrary();
  const indexes = new ServedIndexes(options.index, library, { cacheBytes, saltSecret: secretOf(options) });
  indexes.load();
  const connection = await connectTo(options);
  const chain = new AttestChain(connection);
  const account = options.from === undefined ? undefined : await accountOf(options, connection, terminal);
  let height = await chain.height();
  const health = () => ({ height, answers_by: account?.address ?? null });
  const { server, metrics } = attestService(
    { library, heads, chain, logger, health },
    { host, port, limits: { connectionsPerAddressMax } },
  );
  await server.start();
  terminal.out(`${server.url} serves ${servedThings(library.list().length, options.head.length)}\n`);
  const statements = new PendingStatements(chain);
  const answerer =
    account &&
    new Answerer({ chain: answerChain({ chain, account, statements }), library, heads, metrics, logger });
  if (answerer === undefined)
    logger.warn(
      {},
      'without --from nothing is answered on the chain: whoever asks there voids your shards and cards',
    );
  const look = async (): Promise<boolean> => {
    try {
      const fresh = indexes.load();
      if (fresh > 0) logger.info({ fresh }, `${fresh} more shards are served`);
      height = await chain.height();
      if (options.head.length > 0) await expectPending({ statements, heads, logger });
    } catch (error) {
      logger.warn({ error: messageOf(error) }, 'the node or an index cannot be read');
    }
    return (await answerer?.round()) ?? false;
  };
  await repeat(look, interval, stop);
  await server.stop();
  indexes.close();
  connection.comet.disconnect();
}

/** Threads that have made their heads. */
async function startInfluence(
  cards: readonly ServedCard[],
  workers: number,
  logger: Logger,
): Promise<InfluencePool> {
  const { influenceThread, InfluencePool, POOL_LIMITS } = await import(
    '../../attest/serve/influence-pool.ts'
  );
  const { workCardOf } = await import('../../attest/serve/influence-work.ts');
  const work = cards.map(workCardOf);
  const pool = new InfluencePool(
    { startThread: () => influenceThread(work), onRestart: (message) => logger.warn({}, message) },
    { ...POOL_LIMITS, workers },
  );
  await pool.start();
  return pool;
}

function servedThings(shards: number, cards: number): string {
  return cards === 0 ? `${shards} shards` : `${shards} shards and ${cards} model cards`;
}

/** @throws LedgerError naming the file that cannot be read, or is no card */
async function readHeads(paths: readonly string[]): Promise<readonly ServedCard[]> {
  const { readCard } = await import('./card-file.ts');
  return await Promise.all(paths.map((path) => readCard('--head', path)));
}
