/** What waits in the engine's queue besides messages of peers. */
import type { Input } from '../../consensus/input.ts';
import type { SyncedBlock } from './ports.ts';

export type Work =
  | { readonly kind: 'join' }
  /** The height `after` is finished: begin the next, unless it has begun. */
  | { readonly kind: 'nextHeight'; readonly after: bigint }
  /** Blocks from block sync are to be made durable. */
  | { readonly kind: 'checkpoint' }
  | { readonly kind: 'input'; readonly input: Input }
  | {
      readonly kind: 'synced';
      readonly synced: SyncedBlock;
      readonly resolve: () => void;
      readonly reject: (error: unknown) => void;
    };
