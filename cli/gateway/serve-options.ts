/** Options of `openledgerd gateway serve`, and what they say. */
import type { Command } from 'commander';
import { type NodeOptions, withNodeOptions } from '../attest/account.ts';
import { wholeNumber } from '../daemon.ts';
import { usageError } from '../failure.ts';
import type { GatewayBounds } from './daemon.ts';

/** As they are given. */
export interface ServeOptions extends NodeOptions {
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

/** The command with all of them. */
export function withServeOptions(command: Command): Command {
  return withNodeOptions(command)
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
    .option('--log-level <level>', 'debug, info, warn or error', 'info');
}

const AMOUNT_MAX = 10 ** 14;

/** What they say, checked. @throws LedgerError `cli.usage` that names the option */
export async function boundsOf(options: ServeOptions): Promise<GatewayBounds> {
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
