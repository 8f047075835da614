import type { Part } from '../../consensus/types/part-set.ts';

/** Parts kept of blocks that nobody asked for yet: 16 MiB. */
export const EARLY_PARTS_MAX = 256;
/** Of these, from one peer: 4 MiB. */
export const EARLY_PARTS_PER_PEER_MAX = 64;

interface Early {
  readonly part: Part;
  readonly peer: string;
}

/** A part, who sent it, and the key of the block that it is of. */
export interface EarlyPart extends Early {
  readonly key: string;
}

/**
 * Parts that came before their proposal. Their proofs are right, but anybody can make a block nobody wants:
 * each peer has its share, and when all is full the peer with most gives way to one with less.
 */
export class EarlyParts {
  /** By the key of the header. */
  readonly #blocks = new Map<string, Map<number, Early>>();
  readonly #counts = new Map<string, number>();
  #count = 0;

  /** Keeps a part, if there is room. */
  add({ key, part, peer }: EarlyPart): 'early' | 'duplicate' | 'unwanted' {
    if (this.#blocks.get(key)?.has(part.index) === true) return 'duplicate';
    const own = this.#counts.get(peer) ?? 0;
    if (own >= EARLY_PARTS_PER_PEER_MAX) return 'unwanted';
    if (this.#count >= EARLY_PARTS_MAX && !this.#makeRoom(own)) return 'unwanted';
    const block = this.#blocks.get(key) ?? new Map<number, Early>();
    block.set(part.index, { part, peer });
    this.#blocks.set(key, block);
    this.#book(peer, 1);
    return 'early';
  }

  /** Takes the parts of a block out. */
  take(key: string): readonly Part[] {
    const block = this.#blocks.get(key);
    if (block === undefined) return [];
    this.#blocks.delete(key);
    for (const { peer } of block.values()) this.#book(peer, -1);
    return [...block.values()].map(({ part }) => part);
  }

  #makeRoom(own: number): boolean {
    let greediest: { readonly peer: string; readonly count: number } | undefined;
    for (const [peer, count] of this.#counts)
      if (greediest === undefined || count > greediest.count) greediest = { peer, count };
    if (greediest === undefined || greediest.count <= own + 1) return false;
    this.#dropOneOf(greediest.peer);
    return true;
  }

  #dropOneOf(peer: string): void {
    for (const [key, block] of this.#blocks) {
      for (const [index, early] of block) {
        if (early.peer !== peer) continue;
        block.delete(index);
        if (block.size === 0) this.#blocks.delete(key);
        this.#book(peer, -1);
        return;
      }
    }
  }

  #book(peer: string, change: 1 | -1): void {
    const count = (this.#counts.get(peer) ?? 0) + change;
    if (count === 0) this.#counts.delete(peer);
    else this.#counts.set(peer, count);
    this.#count += change;
  }
}
