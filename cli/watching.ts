/** What the commands that watch share: options, ticks, metrics. */
import { parseListenAddress } from '../node/config/address.ts';
import type { Logger } from '../node/logging/logger.ts';
import type { MetricsServer } from '../node/metrics/server.ts';
import { usageError } from './failure.ts';

/** Time of publishers and gateways. */
export function everySecond(onTick: () => void): () => void {
  const timer = setInterval(onTick, 1000);
  return () => clearInterval(timer);
}

/** An amount of an option, in base units; undefined when it is not given. @throws LedgerError `cli.usage` */
export function amountOf(option: string, value: string | undefined): bigint | undefined {
  if (value === undefined) return undefined;
  if (!/^\d{1,18}$/.test(value))
    throw usageError(`${option} must be a whole number of at most 18 digits, not "${value}"`);
  return BigInt(value);
}

/** Serves metrics at an address; undefined without one. */
export async function serveMetrics(
  laddr: string | undefined,
  { registry }: { readonly registry: import('prom-client').Registry },
  logger: Logger,
): Promise<MetricsServer | undefined> {
  if (laddr === undefined) return undefined;
  const { MetricsServer } = await import('../node/metrics/server.ts');
  const { host, port } = parseListenAddress(laddr);
  const server = new MetricsServer(
    { metrics: { text: () => registry.metrics(), registry }, logger },
    { host, port },
  );
  await server.start();
  return server;
}
