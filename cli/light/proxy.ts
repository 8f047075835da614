/** Joins the light client, its database and the server. */
import { timeFromNanos } from '../../consensus/types/time.ts';
import type { TrustLevel } from '../../consensus/types/verify-commit.ts';
import { toUpperHex } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { headerHash } from '../../consensus/types/header.ts';
import { type LightClient, openLightClient, type TrustOptions } from '../../light/client.ts';
import { HttpProvider } from '../../light/http-provider.ts';
import { JsonRpc } from '../../light/json-rpc.ts';
import type { LightClock } from '../../light/ports.ts';
import { type LightDatabase, TrustedStore } from '../../light/store.ts';
import { verifyEd25519 } from '../../node/crypto/ed25519.ts';
import { verifySecp256k1 } from '../../node/crypto/secp256k1.ts';
import type { VerifySignature } from '../../consensus/types/public-key.ts';
import type { RpcLogger } from '../../node/rpc/ports.ts';
import { openLightDatabase } from './database.ts';
import { lightMethods } from './methods.ts';
import { type LightServer, serve } from './server.ts';

/** What the proxy is told. */
export interface LightProxySettings {
  readonly chainId: string;
  /** URLs. */
  readonly primary: string;
  readonly witnesses: readonly string[];
  readonly trust: TrustOptions | undefined;
  readonly trustingPeriodMs: number;
  readonly trustLevel: TrustLevel;
  readonly sequential: boolean;
  readonly passUnverified: boolean;
  readonly listen: { readonly host: string; readonly port: number };
  /** Where verified blocks are kept. */
  readonly directory: string;
  readonly confirm: (question: string) => Promise<boolean>;
  readonly logger: RpcLogger;
}

/** A proxy at work. */
export interface LightProxy {
  readonly url: string;
  readonly client: LightClient;
  stop(): Promise<void>;
}

/** Longest answer that is taken from a node: a block of the largest size, as text. */
const RESPONSE_BYTES_MAX = 160 * 1024 * 1024;
const CALL_TIMEOUT_MS = 15_000;
const NANOS_PER_MS = 1_000_000n;

/** As the library's own `verifySignature`, and many times as fast. */
const verify: VerifySignature = (key, message, signature) =>
  key.type === 'ed25519'
    ? verifyEd25519(key.bytes, message, signature)
    : verifySecp256k1(key.bytes, sha256(message), signature);

/** The clock of this machine. */
export const systemClock: LightClock = {
  now: () => timeFromNanos(BigInt(Date.now()) * NANOS_PER_MS),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted === true) return resolve();
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal?.addEventListener('abort', done);
    }),
};

/**
 * Verifies where the chain is, then serves.
 * @throws LedgerError when nothing can be trusted, nobody answers or the port is taken
 */
export async function startLightProxy(settings: LightProxySettings): Promise<LightProxy> {
  const { logger, chainId, listen } = settings;
  const stop = new AbortController();
  const { database, close } = await openLightDatabase(settings.directory);
  try {
    const client = await openClient(settings, database, stop.signal);
    const { header } = await client.latest();
    const hash = toUpperHex(headerHash(header));
    logger.info({ chainId, height: header.height, hash }, 'the chain is verified up to here');
    const rpcs = new Map([settings.primary, ...settings.witnesses].map((url) => [url, rpcOf(url)] as const));
    const first = rpcOf(settings.primary);
    const methods = lightMethods({
      client,
      rpc: () => rpcs.get(client.primary.name) ?? first,
      clock: systemClock,
      passUnverified: settings.passUnverified,
    });
    const server: LightServer = await serve(methods, { ...listen, logger });
    return {
      url: server.url,
      client,
      stop: async () => {
        stop.abort();
        await server.stop();
        await close();
      },
    };
  } catch (error) {
    stop.abort();
    await close();
    throw error;
  }
}

const rpcOf = (url: string): JsonRpc =>
  new JsonRpc({ url, timeoutMs: CALL_TIMEOUT_MS, responseBytesMax: RESPONSE_BYTES_MAX });

async function openClient(
  settings: LightProxySettings,
  database: LightDatabase,
  signal: AbortSignal,
): Promise<LightClient> {
  const { chainId, logger } = settings;
  const providerOf = (url: string): HttpProvider => new HttpProvider({ chainId, url, clock: systemClock });
  return openLightClient(
    {
      primary: providerOf(settings.primary),
      witnesses: settings.witnesses.map(providerOf),
      store: await TrustedStore.open(database),
      clock: systemClock,
      verify,
      signal,
      log: (level, message, facts) => logger[level](facts, message),
    },
    {
      chainId,
      trust: settings.trust,
      trustingPeriodNanos: BigInt(settings.trustingPeriodMs) * NANOS_PER_MS,
      trustLevel: settings.trustLevel,
      mode: settings.sequential ? 'sequential' : 'skipping',
      confirm: settings.confirm,
    },
  );
}
