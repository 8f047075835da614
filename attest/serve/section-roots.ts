/** Roots of the sections of long documents: computed a little at a time, and kept while they are asked for. */
import { setImmediate } from 'node:timers/promises';
import type { ServedShard } from './shard-library.ts';
import { sectionRoots } from './shard-pieces.ts';

/** Roots that are kept, of 1 GiB of texts; those of the document that was asked for last in any case. */
const ROOTS_MAX = 65_536;

/** Sections that are hashed before others have a turn: a few milliseconds. */
const SECTIONS_AT_A_TIME = 8;

/** What roots are computed of, and how many of them are kept. */
export class SectionRoots {
  readonly #rootsMax: number;
  /** The document asked for longest ago first. */
  readonly #kept = new Map<string, readonly Uint8Array[]>();
  #count = 0;

  constructor(rootsMax: number = ROOTS_MAX) {
    this.#rootsMax = rootsMax;
  }

  /** How many are kept. */
  get count(): number {
    return this.#count;
  }

  /** The roots of a document's sections. @throws RangeError when the shard has no such document */
  async of({ key, reader }: ServedShard, document: number): Promise<readonly Uint8Array[]> {
    const name = `${key}/${document}`;
    const known = this.#kept.get(name);
    const roots = known ?? (await computed(reader, document));
    this.#kept.delete(name);
    this.#kept.set(name, roots);
    if (known === undefined) this.#count += roots.length;
    for (const [oldest, { length }] of this.#kept) {
      if (this.#count <= this.#rootsMax || oldest === name) break;
      this.#kept.delete(oldest);
      this.#count -= length;
    }
    return roots;
  }
}

async function computed(reader: ServedShard['reader'], document: number): Promise<readonly Uint8Array[]> {
  const roots: Uint8Array[] = [];
  for (const root of sectionRoots(reader, document))
    if (roots.push(root) % SECTIONS_AT_A_TIME === 0) await setImmediate();
  return roots;
}
