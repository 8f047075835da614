/** What state sync believes: a light client over the RPC servers of `[statesync]`, and the operator's trust. */
import {
  type ConsensusParams,
  checkConsensusParams,
  encodeConsensusParams,
} from '../consensus/types/params.ts';
import { timeFromNanos } from '../consensus/types/time.ts';
import { equalBytes, fromHex } from '../core/bytes.ts';
import { LedgerError, messageOf } from '../core/errors.ts';
import { openLightClient } from '../light/client.ts';
import { HttpProvider } from '../light/http-provider.ts';
import type { JsonField } from '../light/json/field.ts';
import { JsonRpc } from '../light/json-rpc.ts';
import type { LightClock } from '../light/ports.ts';
import type { LightProvider } from '../light/provider.ts';
import { memoryDatabase, TrustedStore } from '../light/store.ts';
import type { Logger } from '../p2p/network.ts';
import type { StateSyncConfig } from './config/config.ts';
import type { NodeEnvironment } from './environment.ts';
import type { TrustedChain } from './statesync/ports.ts';
import { told, troubleError } from './statesync/trouble.ts';

const NANOS_PER_MS = 1_000_000n;
const RPC_TIMEOUT_MS = 10_000;
const PARAMS_BYTES_MAX = 64 * 1024;
const KEY_TYPES_MAX = 8;
/** Servers that must tell the same: a header vouches for a part of the parameters only. */
const SERVERS_MIN = 2;

/** Errors of servers that are away or behind, and may be back. */
const AWAY: readonly string[] = ['light.no_response', 'light.height_too_high'];
const OPEN_ATTEMPTS = 10;
const OPEN_WAIT_MS = 3_000;

/** A node whose word about the chain is asked, by RPC. */
export interface TrustedServer {
  readonly provider: LightProvider;
  /** What it says of the block of a height. @throws LedgerError */
  consensusParams(height: bigint): Promise<ConsensusParams>;
}

/** Makes the client of the server with that URL; nothing is asked yet. */
export type OpenServer = (
  url: string,
  ports: { readonly chainId: string; readonly clock: LightClock },
) => TrustedServer;

const openHttpServer: OpenServer = (url, { chainId, clock }) => ({
  provider: new HttpProvider({ chainId, url, clock }),
  consensusParams: (height) => paramsOf(url, height),
});

/**
 * Checks what `[statesync]` says as a whole.
 * @throws LedgerError `config.value`
 */
export function checkStateSyncConfig({
  rpcServers,
  trustHeight,
  trustHash,
  trustPeriodMs,
}: StateSyncConfig): void {
  const wrong = (message: string): LedgerError =>
    new LedgerError('config.value', `config.toml: statesync.enable is true, but ${message}`);
  if (new Set(rpcServers.map((server) => new URL(urlOf(server)).host)).size < SERVERS_MIN)
    throw wrong(
      'statesync.rpc_servers names fewer than two different servers: one alone could make up a chain; ' +
        'name at least two, of different operators',
    );
  if (trustHeight === 0)
    throw wrong('statesync.trust_height is not set: give a recent height and its block hash that you trust');
  if (trustHash === '')
    throw wrong(
      `statesync.trust_hash is not set: give the block hash of height ${trustHeight} from a source that you trust ` +
        `(for example ${urlOf(rpcServers[0] ?? '')}/commit?height=${trustHeight}, compared with another)`,
    );
  if (trustPeriodMs <= 0) throw wrong('statesync.trust_period is not longer than nothing');
}

/** What the light client is opened with. */
interface ChainPorts {
  readonly environment: NodeEnvironment;
  readonly log: Logger;
}

/**
 * Opens the light client; servers that do not answer are asked again for a while, for they may be restarting.
 * @throws LedgerError `light.*`: no server answers, or the trusted block is not on its chain
 */
export async function openTrustedChain(
  config: StateSyncConfig,
  chainId: string,
  ports: ChainPorts,
): Promise<TrustedChain> {
  const { timers } = ports.environment;
  for (let attempt = 1; ; attempt++) {
    try {
      return await openOnce(config, chainId, ports);
    } catch (cause) {
      const isAway = cause instanceof LedgerError && AWAY.includes(cause.code);
      if (!isAway || attempt === OPEN_ATTEMPTS) throw openError(config, cause);
      ports.log.warn(
        {
          ...told({ step: 'verify', peers: config.rpcServers, next: 'see that these servers run' }),
          attempt,
          reason: cause.message,
        },
        'state sync: no server of statesync.rpc_servers gives the trusted block now: they are asked again',
      );
      await new Promise<void>((resolve) => void timers.after(OPEN_WAIT_MS, resolve));
    }
  }
}

async function openOnce(config: StateSyncConfig, chainId: string, ports: ChainPorts): Promise<TrustedChain> {
  const clock = lightClock(ports.environment);
  const { openServer = openHttpServer } = ports.environment;
  const servers = config.rpcServers.map((server) => openServer(urlOf(server), { chainId, clock }));
  const [primary, ...witnesses] = servers.map(({ provider }) => provider);
  if (primary === undefined)
    throw new LedgerError('config.value', 'config.toml: statesync.rpc_servers is empty');
  const { log } = ports;
  const client = await openLightClient(
    {
      primary,
      witnesses,
      clock,
      store: await TrustedStore.open(memoryDatabase()),
      verify: ports.environment.verify,
      log: (level, message, facts) => log[level](facts, `light client: ${message}`),
    },
    {
      chainId,
      trustingPeriodNanos: BigInt(config.trustPeriodMs) * NANOS_PER_MS,
      trust: { height: BigInt(config.trustHeight), hash: fromHex(config.trustHash) },
    },
  );
  return {
    servers: servers.map(({ provider }) => provider.name),
    lightBlock: (height) => client.lightBlock(height),
    consensusParams: (height) => agreedParams(servers, height),
  };
}

/** `tcp://` is CometBFT's word for HTTP; without a scheme it is meant, too. */
function urlOf(server: string): string {
  if (/^https?:\/\//.test(server)) return server;
  return `http://${server.replace(/^tcp:\/\//, '')}`;
}

function lightClock({ clock, timers }: NodeEnvironment): LightClock {
  return {
    now: () => timeFromNanos(clock.now()),
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        const cancel = timers.after(ms, resolve);
        signal?.addEventListener('abort', () => {
          cancel();
          resolve();
        });
      }),
  };
}

function openError({ rpcServers }: StateSyncConfig, cause: unknown): unknown {
  if (!(cause instanceof LedgerError)) return cause;
  return troubleError(cause.code, {
    step: 'verify',
    peers: rpcServers,
    what: `it cannot begin from the trusted block: ${cause.message}`,
    next: 'check statesync.trust_height, statesync.trust_hash and statesync.rpc_servers in config.toml',
    facts: cause.facts,
    cause,
  });
}

/** The parameters that all servers that answer give, at least two. */
async function agreedParams(servers: readonly TrustedServer[], height: bigint): Promise<ConsensusParams> {
  const answers: { readonly url: string; readonly params: ConsensusParams }[] = [];
  const failures: string[] = [];
  for (const server of servers) {
    try {
      answers.push({ url: server.provider.name, params: await server.consensusParams(height) });
    } catch (error) {
      failures.push(messageOf(error));
    }
  }
  const [first, ...others] = answers;
  if (first === undefined || answers.length < SERVERS_MIN)
    throw new LedgerError(
      'light.no_response',
      `fewer than two servers of statesync.rpc_servers give the consensus parameters of height ${height}: ` +
        failures.join('; '),
      { height },
    );
  const bytes = encodeConsensusParams(first.params);
  const other = others.find(({ params }) => !equalBytes(encodeConsensusParams(params), bytes));
  if (other === undefined) return first.params;
  throw new LedgerError(
    'statesync.params',
    `${first.url} and ${other.url} give different consensus parameters for height ${height}: one of them is wrong`,
    { height },
  );
}

async function paramsOf(url: string, height: bigint): Promise<ConsensusParams> {
  const rpc = new JsonRpc({ url, timeoutMs: RPC_TIMEOUT_MS, responseBytesMax: PARAMS_BYTES_MAX });
  const answer = await rpc.call('consensus_params', { height: String(height) });
  if (answer.at('block_height').int64() !== height) throw answer.wrong(`for height ${height}`);
  return checkConsensusParams(readConsensusParams(answer.at('consensus_params')));
}

/**
 * The parameters as `consensus_params` answers them.
 * @throws DecodeError when it is something else
 */
export function readConsensusParams(json: JsonField): ConsensusParams {
  const block = json.at('block');
  const evidence = json.at('evidence');
  const age = timeFromNanos(evidence.at('max_age_duration').int64());
  const types = json.at('validator').at('pub_key_types').list(KEY_TYPES_MAX);
  return {
    block: { maxBytes: block.at('max_bytes').int64(), maxGas: block.at('max_gas').int64() },
    evidence: {
      maxAgeNumBlocks: evidence.at('max_age_num_blocks').int64(),
      maxAgeDuration: age,
      maxBytes: evidence.at('max_bytes').int64(),
    },
    validator: { pubKeyTypes: types.map((type) => type.string()) },
    version: { app: optionalInt64(json.at('version'), 'app') },
    abci: { voteExtensionsEnableHeight: optionalInt64(json.at('abci'), 'vote_extensions_enable_height') },
  };
}

/** Go leaves out what is zero. */
function optionalInt64(json: JsonField, name: string): bigint {
  if (json.isEmpty) return 0n;
  const field = json.at(name);
  return field.isEmpty ? 0n : field.int64();
}
