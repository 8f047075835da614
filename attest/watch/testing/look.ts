/** How tests run a watcher: by hand, without time. */
import type { Watcher, WatcherOptions, WatcherParts } from '../watcher.ts';

/** One look at claims, then one at shards and cards. */
export async function look(watcher: Watcher): Promise<void> {
  await watcher.lookAtClaims();
  await watcher.lookAtPublished();
}

/** Time stands still: who does not answer is waited for. */
export const noTicks: WatcherParts['ticks'] = () => () => undefined;

/** Options of a watcher that nobody keeps waiting. */
export const PATIENT: WatcherOptions = { sources: [], ticksMax: 1, textBytesMax: 1 << 20 };
