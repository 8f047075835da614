import type { Context } from '../../framework/context.ts';
import type { ChannelState } from './state.ts';

/** Ids forgotten in one block, at most; each was paid for when its channel was closed. */
export const FORGOTTEN_PER_BLOCK = 200;

/** Forgets closed channels that nobody could open any more. The rest waits for the next block. */
export function forgetClosed(context: Context, state: ChannelState): void {
  const due: (readonly [bigint, Uint8Array])[] = [];
  for (const key of state.closed.iterate(context)) {
    if (key[0] > context.block.time.seconds || due.length === FORGOTTEN_PER_BLOCK) break;
    due.push(key);
  }
  for (const key of due) state.closed.remove(context, key);
}
