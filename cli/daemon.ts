/** What the commands that serve or watch until they are stopped share: options, rounds, logs, metrics. */
import { parseListenAddress } from '../node/config/address.ts';
import { levelPolicy } from '../node/logging/levels.ts';
import { createLogging, type Logger } from '../node/logging/logger.ts';
import type { MetricsServer } from '../node/metrics/server.ts';
import type { StopSignal } from './devnet/run.ts';
import { usageError } from './failure.ts';
import type { Terminal } from './terminal.ts';

/** Logs of a command that runs until it is stopped: lines on standard error. */
export function daemonLogger(module: string, logLevel: string, terminal: Terminal): Logger {
  const write = (line: string): void => terminal.note(line.trimEnd());
  return createLogging({ format: 'plain', policy: levelPolicy(logLevel), write, now: Date.now })(module);
}

/** A whole number of an option. @throws LedgerError `cli.usage` */
export function wholeNumber(option: string, text: string, [least, most]: readonly [number, number]): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw usageError(`${option} must be a whole number from ${least} to ${most}, not "${text}"`);
}

/** Does something again and again until it is asked to stop; a pause after each time that does not say true: more waits. */
export async function repeat(task: () => Promise<unknown>, pauseMs: number, stop: StopSignal): Promise<void> {
  let isOver = false;
  const over = stop.requested.then(() => {
    isOver = true;
  });
  while (!isOver) {
    if ((await task()) === true) continue;
    let timer: NodeJS.Timeout | undefined;
    const pause = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, pauseMs);
    });
    await Promise.race([pause, over]);
    clearTimeout(timer);
  }
}

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
