import { fromUint64BigEndian, uint64BigEndian } from '../core/bytes.ts';
import { DecodeError, LedgerError } from '../core/errors.ts';
import { decodeLightBlock, encodeLightBlock, type LightBlock } from '../consensus/types/light-block.ts';

/** A key-value database: what the light client needs of one and no more. LevelDB and `memoryDatabase` fit. */
export interface LightDatabase {
  get(key: Uint8Array): Promise<Uint8Array | undefined>;
  /** All keys, in any order. */
  keys(): AsyncIterable<Uint8Array>;
  /** Writes all or nothing; a missing value deletes. Durable once it resolves. */
  write(batch: readonly LightWrite[]): Promise<void>;
}

/** One write of a batch. */
export interface LightWrite {
  readonly key: Uint8Array;
  readonly value: Uint8Array | undefined;
}

/** `l` and the height: other keys of the database are left alone. */
const KEY_PREFIX = 0x6c;
const KEY_BYTES = 9;

/** A database that is gone with the process. */
export function memoryDatabase(): LightDatabase {
  const values = new Map<string, LightWrite>();
  return {
    get: (key) => Promise.resolve(values.get(key.join())?.value),
    async *keys() {
      for (const { key } of [...values.values()]) yield key;
    },
    write: (batch) => {
      for (const write of batch) {
        if (write.value === undefined) values.delete(write.key.join());
        else values.set(write.key.join(), write);
      }
      return Promise.resolve();
    },
  };
}

/** Light blocks that have been verified, by height. Heights are kept in memory, blocks in the database. */
export class TrustedStore {
  readonly #database: LightDatabase;
  /** Rising. */
  #heights: readonly bigint[];

  private constructor(database: LightDatabase, heights: readonly bigint[]) {
    this.#database = database;
    this.#heights = heights;
  }

  /** Reads what heights a database has. */
  static async open(database: LightDatabase): Promise<TrustedStore> {
    const heights: bigint[] = [];
    for await (const key of database.keys()) {
      if (key.length === KEY_BYTES && key[0] === KEY_PREFIX)
        heights.push(fromUint64BigEndian(key.subarray(1)));
    }
    return new TrustedStore(database, heights.sort(byHeight));
  }

  /** Rising. */
  get heights(): readonly bigint[] {
    return this.#heights;
  }

  get first(): bigint | undefined {
    return this.#heights[0];
  }

  get last(): bigint | undefined {
    return this.#heights.at(-1);
  }

  /** The highest one below a height. */
  before(height: bigint): bigint | undefined {
    return this.#heights.findLast((each) => each < height);
  }

  /** The lowest one above a height. */
  after(height: bigint): bigint | undefined {
    return this.#heights.find((each) => each > height);
  }

  has(height: bigint): boolean {
    return this.#heights.includes(height);
  }

  /**
   * The block of a height; undefined when it is not there.
   * @throws LedgerError `light.store` when what is stored cannot be read
   */
  async get(height: bigint): Promise<LightBlock | undefined> {
    const bytes = this.has(height) ? await this.#database.get(keyOf(height)) : undefined;
    if (bytes === undefined) return undefined;
    try {
      return decodeLightBlock(bytes);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      const message = `the stored light block ${height} is damaged: remove the light client's directory`;
      throw new LedgerError('light.store', message, { height }, error);
    }
  }

  /** Stores a block; above `keep` blocks the lowest ones go. 0 keeps all. */
  async save(block: LightBlock, keep: number): Promise<void> {
    const { height } = block.header;
    const heights = this.has(height) ? this.#heights : [...this.#heights, height].sort(byHeight);
    const excess = keep === 0 ? 0 : Math.max(0, heights.length - keep);
    const removed = heights.slice(0, excess).map((each) => ({ key: keyOf(each), value: undefined }));
    await this.#database.write([{ key: keyOf(height), value: encodeLightBlock(block) }, ...removed]);
    this.#heights = heights.slice(excess);
  }

  /** Removes all blocks above a height. */
  async removeAbove(height: bigint): Promise<void> {
    const removed = this.#heights.filter((each) => each > height);
    await this.#database.write(removed.map((each) => ({ key: keyOf(each), value: undefined })));
    this.#heights = this.#heights.filter((each) => each <= height);
  }
}

function keyOf(height: bigint): Uint8Array {
  return Uint8Array.of(KEY_PREFIX, ...uint64BigEndian(height));
}

function byHeight(a: bigint, b: bigint): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
