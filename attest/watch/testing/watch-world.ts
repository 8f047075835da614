/** A watcher over a chain in memory, in a folder of its own. */
import type { Publisher } from '../ports.ts';
import { CardCache } from '../card-cache.ts';
import { WatchMetrics } from '../metrics.ts';
import { TextCache } from '../text-cache.ts';
import { Watcher, type WatcherOptions, type WatcherParts } from '../watcher.ts';
import { memoryPublisher } from './fake-chain.ts';
import { noTicks, PATIENT } from './look.ts';

/** What a test says of its watcher. */
export interface WatchWorld {
  readonly home: string;
  readonly chain: WatcherParts['chain'];
  /** Takes what is written. */
  readonly log: string[];
  readonly publishers?: Readonly<Record<string, Publisher>>;
  readonly options?: Partial<WatcherOptions>;
  readonly metrics?: WatchMetrics;
  readonly ticks?: WatcherParts['ticks'];
}

/** A new process, as it were: nothing but the folder is kept. */
export function watcherIn({
  home,
  chain,
  log,
  publishers = {},
  options,
  metrics,
  ticks,
}: WatchWorld): Watcher {
  const note = (_: unknown, message: string): void => void log.push(message);
  const nobody = memoryPublisher({});
  return new Watcher(
    {
      chain,
      publishers: (endpoint) => publishers[endpoint] ?? nobody,
      ticks: ticks ?? noTicks,
      cache: new TextCache(home),
      cards: new CardCache(home),
      logger: { info: note, warn: note, error: note },
      metrics: metrics ?? new WatchMetrics(),
    },
    { ...PATIENT, ...options },
  );
}
