import { toHex, utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import type { Validity } from '../input.ts';
import { type BlockId, blockIdKey } from '../types/block-id.ts';

/** A block as the simulation knows it: only its id, whether it is valid, and whether its parts can be had. */
export interface SimulatedBlock {
  readonly blockId: BlockId;
  readonly height: bigint;
  readonly validity: Validity;
  /** Its maker keeps it back. */
  readonly withheld: boolean;
}

/** All blocks that anybody made. */
export class BlockRegistry {
  readonly #blocks = new Map<string, SimulatedBlock>();

  /** Makes a block that is different from all before it. */
  make(height: bigint, validity: Validity = 'accepted', withheld = false): SimulatedBlock {
    const hash = sha256(utf8(`block ${height} ${this.#blocks.size}`));
    const block = { blockId: { hash, partSetHeader: { total: 1, hash } }, height, validity, withheld };
    this.#blocks.set(blockIdKey(block.blockId), block);
    return block;
  }

  /** The block with an id. */
  get(blockId: BlockId): SimulatedBlock | undefined {
    return this.#blocks.get(blockIdKey(blockId));
  }

  /** The blocks made for a height. */
  at(height: bigint): SimulatedBlock[] {
    return [...this.#blocks.values()].filter((block) => block.height === height);
  }
}

/** A short name of a block for messages. */
export function blockName(blockId: BlockId): string {
  return blockId.hash.length === 0 ? 'nil' : toHex(blockId.hash).slice(0, 8);
}
