/** `openledgerd status`: what the node at a URL says about itself. */
import type { Command } from 'commander';
import { LedgerError } from '../core/errors.ts';
import { DEFAULT_RPC_URL } from './defaults.ts';
import { sentenceOf, systemCode, usageError } from './failure.ts';
import type { Terminal } from './terminal.ts';

const STATUS_TIMEOUT_MS = 10_000;
/** Of undici and its parser: the other side closed, or answered something else. */
const NOT_HTTP = /^(UND_ERR_SOCKET|ECONNRESET|HPE_\w+)$/;

/** Adds the command. */
export function addStatusCommand(program: Command, terminal: Terminal): void {
  program
    .command('status')
    .description('print the status of a running node')
    .option('--node <url>', `RPC of the node (default: ${DEFAULT_RPC_URL})`)
    .option('--home <dir>', 'ask the node of this home')
    .action(async (options: { readonly node?: string; readonly home?: string }) => {
      const url =
        options.node ?? (options.home === undefined ? DEFAULT_RPC_URL : await rpcOfHome(options.home));
      const status = await fetchStatus(rpcUrl(url));
      terminal.out(`${JSON.stringify(status, undefined, 2)}\n`);
    });
}

/**
 * The URL of an RPC; `tcp://`, as CometBFT's tools write it, is HTTP.
 * @throws LedgerError `cli.usage`
 */
export function rpcUrl(text: string): string {
  const url = text.replace(/^tcp:\/\//, 'http://').replace(/\/$/, '');
  if (!/^https?:\/\/[^/\s]+/.test(url)) throw usageError(`"${text}" is not a URL such as ${DEFAULT_RPC_URL}`);
  return url;
}

/** Where the configuration of a home says that RPC listens. */
async function rpcOfHome(home: string): Promise<string> {
  const { openHome } = await import('./home/open.ts');
  const { parseListenAddress } = await import('../node/config/address.ts');
  const { host, port } = parseListenAddress(openHome(home).node.rpc.laddr);
  if (port === 0) throw usageError(`the node in ${home} takes any free port; name its URL with --node`);
  return `http://${host === '0.0.0.0' ? '127.0.0.1' : host}:${port}`;
}

async function fetchStatus(url: string): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(`${url}/status`, { signal: AbortSignal.timeout(STATUS_TIMEOUT_MS) });
  } catch (cause) {
    throw new LedgerError('cli.unreachable', `cannot reach ${url}: ${unreachableReason(cause)}`);
  }
  const body: unknown = await response.json().catch(() => undefined);
  if (!isObject(body) || body['result'] === undefined) {
    throw new LedgerError('cli.unreachable', `${url} does not answer like a node (HTTP ${response.status})`);
  }
  return body['result'];
}

/** Why a request got no answer, in words that do not need to know what made it. */
export function unreachableReason(cause: unknown): string {
  const code = systemCode(cause);
  if (code === 'ECONNREFUSED') return 'nothing listens there';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'there is no host of that name';
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause.name : '';
  if (inner === 'HTTPParserError' || (code !== undefined && NOT_HTTP.test(code)))
    return 'what listens there does not speak HTTP; name the port of an RPC, not of peers';
  if (cause instanceof Error && cause.name === 'TimeoutError') return 'it did not answer in time';
  return sentenceOf(cause);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
