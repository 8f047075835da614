/** Stored blocks as peers get them. */
import type { BlockId } from '../consensus/types/block-id.ts';
import type { Commit } from '../consensus/types/commit.ts';
import type { Header } from '../consensus/types/header.ts';
import type { Part } from '../consensus/types/part-set.ts';
import type { ValidatorSet } from '../consensus/types/validator.ts';
import { LedgerError } from '../core/errors.ts';
import type { BlockStore, HeightRange } from './blockstore/block-store.ts';
import { isDamage, SYNC_AGAIN } from './checksum.ts';
import { DamageLog } from './damage-log.ts';
import type { StateStore } from './state/state-store.ts';

/**
 * What is damaged is not there: peers have it from others, and the operator hears of it. From then on this
 * node claims only the blocks above: who claims again what it did not have is taken for a liar.
 */
export class ServedBlocks {
  readonly #blocks: BlockStore;
  readonly #state: StateStore;
  readonly #damage: DamageLog;
  #highestDamaged = 0n;

  constructor(
    { blocks, state }: { readonly blocks: BlockStore; readonly state: StateStore },
    log: ConstructorParameters<typeof DamageLog>[0],
  ) {
    this.#blocks = blocks;
    this.#state = state;
    this.#damage = new DamageLog(log);
  }

  /** Heights that peers may ask for; both 0n when there is none. */
  range(): HeightRange {
    const { base, height } = this.#blocks.range();
    if (this.#highestDamaged < base) return { base, height };
    if (this.#highestDamaged >= height) return { base: 0n, height: 0n };
    return { base: this.#highestDamaged + 1n, height };
  }

  /** The encoded block. */
  blockBytes(height: bigint): Uint8Array | undefined {
    const bytes = this.#block(height, () => this.#blocks.blockBytes(height));
    const { base, height: highest } = this.#blocks.range();
    const isStored = base !== 0n && height >= base && height <= highest;
    if (bytes === undefined && isStored && height > this.#highestDamaged) this.#lost(height);
    return bytes;
  }

  blockId(height: bigint): BlockId | undefined {
    return this.#block(height, () => this.#blocks.blockId(height));
  }

  part(height: bigint, index: number): Part | undefined {
    return this.#block(height, () => this.#blocks.part(height, index));
  }

  header(height: bigint): Header | undefined {
    return this.#block(height, () => this.#blocks.meta(height)?.header);
  }

  /** The precommits that decided a height. */
  commit(height: bigint): Commit | undefined {
    return this.#block(height, () => this.#blocks.commit(height));
  }

  validators(height: bigint): ValidatorSet | undefined {
    return this.#sound(() => this.#state.validators(height));
  }

  #block<T>(height: bigint, read: () => T | undefined): T | undefined {
    return this.#sound(read, () => {
      if (height > this.#highestDamaged) this.#highestDamaged = height;
    });
  }

  /** A record is gone: its key was damaged, or the database has lost a write. */
  #lost(height: bigint): void {
    this.#highestDamaged = height;
    const message = `the block store is damaged: block ${height} is not whole. To repair it, ${SYNC_AGAIN}`;
    this.#damage.tell(new LedgerError('blockstore.incomplete', message, { height }));
  }

  #sound<T>(read: () => T | undefined, otherwise?: () => void): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!isDamage(error)) throw error;
      otherwise?.();
      this.#damage.tell(error);
      return undefined;
    }
  }
}
