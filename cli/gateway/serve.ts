/** `openledgerd gateway serve`: answers requests for vouchers, and settles what was charged. */
import type { Command } from 'commander';
import { type NodeOptions, withNodeOptions } from '../attest/account.ts';
import { daemonLogger, repeat, wholeNumber } from '../daemon.ts';
import type { StopSignal } from '../devnet/run.ts';
import { usageError } from '../failure.ts';
import type { Terminal } from '../terminal.ts';
import type { GatewayBounds } from './daemon.ts';

interface ServeOptions extends NodeOptions {
  readonly listen: string;
  readonly model: readonly string[];
  readonly backend: string;
  readonly bytesPerToken: string;
  readonly aheadTokens: string;
  readonly patience: string;
  readonly timeout: string;
  readonly concurrency: string;
  readonly connectionsPerAddress: string;
  readonly claimMin: string;
  readonly settleMin: string;
  readonly stateUncovered?: true;
  readonly unclaimedMax: string;
  readonly interval: string;
  readonly logLevel: string;
}

/** Adds the command to the group `gateway`. */
export function addServeCommand(gateway: Command, terminal: Terminal): void {
  withNodeOptions(
    gateway
      .command('serve')
      .description('answer requests for vouchers, claim them, state and serve epochs; Ctrl-C stops it'),
  )
    .requiredOption('--model <ids...>', 'ids of the models that are served')
    .requiredOption('--backend <command>', 'program with its arguments that answers, or an http:// URL')
    .option('--listen <address>', 'where to listen', 'tcp://127.0.0.1:8791')
    .option('--bytes-per-token <count>', 'so many bytes of a prompt are charged as a token', '4')
    .option('--ahead-tokens <count>', 'most tokens of streams that a channel leaves unpaid', '64')
    .option('--patience <seconds>', 'how long a stream waits for a payment', '20')
    .option('--timeout <seconds>', 'time of an answer', '120')
    .option('--concurrency <count>', 'requests at a time', '16')
    .option('--connections-per-address <count>', 'behind a proxy all are of its address', '32')
    .option('--claim-min <amount>', 'claims when so much is charged; urgent channels at once', '1000000')
    .option('--settle-min <amount>', 'states an epoch when so much was claimed', '1000000')
    .option('--state-uncovered', 'state rounds of which receipts were lost: who shows one takes the bond')
    .option('--unclaimed-max <amount>', 'most that is charged and not claimed on one channel', '10000000')
    .option('--interval <ms>', 'pause between two looks at the chain', '2000')
    .option('--log-level <level>', 'debug, info, warn or error', 'info')
    .action(async (options: ServeOptions) => {
      const { processStopSignal } = await import('../stop-signal.ts');
      await serve(options, terminal, processStopSignal());
    });
}

const AMOUNT_MAX = 10 ** 14;

/** @throws LedgerError `cli.usage` that names the option */
async function boundsOf(options: ServeOptions): Promise<GatewayBounds> {
  const { parseListenAddress } = await import('../../node/config/address.ts');
  const { SERVER_LIMITS } = await import('../../serve/limits.ts');
  const amount = (option: string, text: string): bigint => BigInt(wholeNumber(option, text, [1, AMOUNT_MAX]));
  const other = options.model.find((id) => !/^[1-9]\d{0,18}$/.test(id));
  if (other !== undefined) throw usageError(`--model must be the id of a model, not "${other}"`);
  const connections: readonly [number, number] = [1, SERVER_LIMITS.connectionsMax];
  return {
    ...parseListenAddress(options.listen),
    models: options.model.map(BigInt),
    backend: options.backend,
    bytesPerToken: wholeNumber('--bytes-per-token', options.bytesPerToken, [1, 1024]),
    tokensAhead: wholeNumber('--ahead-tokens', options.aheadTokens, [1, 65_536]),
    patienceSeconds: wholeNumber('--patience', options.patience, [1, 600]),
    timeoutSeconds: wholeNumber('--timeout', options.timeout, [1, 3600]),
    requestsMax: wholeNumber('--concurrency', options.concurrency, [1, 1024]),
    connectionsPerAddressMax: wholeNumber(
      '--connections-per-address',
      options.connectionsPerAddress,
      connections,
    ),
    claimMin: amount('--claim-min', options.claimMin),
    settleMin: amount('--settle-min', options.settleMin),
    stateUncovered: options.stateUncovered === true,
    unclaimedMax: amount('--unclaimed-max', options.unclaimedMax),
  };
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
