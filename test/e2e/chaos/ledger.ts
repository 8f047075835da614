/** What all nodes said of each height, and whether they agree. */
import type { BlockMessage } from '../../../cli/child-messages.ts';

interface Said {
  readonly hash: string;
  readonly appHash: string;
  readonly by: string;
}

/** The blocks of a chain as its nodes report them. */
export class Ledger {
  readonly #blocks: Map<number, Said> = new Map();
  readonly #contradictions: string[] = [];
  #txs = 0;

  /** Transactions in the blocks, each block counted once. */
  get txs(): number {
    return this.#txs;
  }

  get height(): number {
    return Math.max(0, ...this.#blocks.keys());
  }

  /** Hash of the block that the nodes have at a height. */
  hashAt(height: number): string | undefined {
    return this.#blocks.get(height)?.hash;
  }

  /** App hash in the header of a height. */
  appHashAt(height: number): string | undefined {
    return this.#blocks.get(height)?.appHash;
  }

  /** Contradictions so far, each as a sentence. */
  get contradictions(): readonly string[] {
    return this.#contradictions;
  }

  note(by: string, block: Pick<BlockMessage, 'height' | 'hash' | 'app_hash' | 'txs'>): void {
    const { height, hash, app_hash: appHash } = block;
    const first = this.#blocks.get(height);
    if (first === undefined) {
      this.#blocks.set(height, { hash, appHash, by });
      this.#txs += block.txs;
      return;
    }
    if (first.hash === hash && first.appHash === appHash) return;
    this.#contradictions.push(
      `height ${height}: ${first.by} has block ${first.hash} with app hash ${first.appHash}, ` +
        `${by} has ${hash} with ${appHash}`,
    );
  }
}
