import type { Validity } from '../input.ts';
import { type BlockId, blockIdKey } from '../types/block-id.ts';

/** What is known of a block: asked for and not answered, or judged. */
export type ValueStatus = 'pending' | Validity;

/** The blocks of a height that somebody proposed or voted for, and what is known of them. */
export class Values {
  readonly #values = new Map<string, { readonly blockId: BlockId; readonly status: ValueStatus }>();

  /** What is known of a block; undefined when nobody asked. */
  status(blockId: BlockId): ValueStatus | undefined {
    return this.#values.get(blockIdKey(blockId))?.status;
  }

  /** Sets what is known of a block; false when that changes nothing. A judgement is never taken back. */
  set(blockId: BlockId, status: ValueStatus): boolean {
    const known = this.status(blockId);
    if (known !== undefined && known !== 'pending') return false;
    if (known === status) return false;
    this.#values.set(blockIdKey(blockId), { blockId, status });
    return true;
  }

  /** Blocks that were asked for and not judged, in the order of asking. */
  pending(): BlockId[] {
    return [...this.#values.values()]
      .filter(({ status }) => status === 'pending')
      .map(({ blockId }) => blockId);
  }
}
