/**
 * Writes that are gathered in memory and made durable together: while blocks come from block sync, a
 * synced write for each of them would be most of the time that they take. Nothing of what is held is on the
 * disk, in whatever order a crash comes, until `flush` writes it.
 */
import type { Database, DatabaseBatch, OpenDatabase } from './database.ts';

/** Blocks whose writes may be held: a crash while they are flushed leaves databases so far apart. */
export const HELD_BLOCKS_MAX = 64;

/** Something whose writes can be held back. */
export interface HeldWrites {
  /** Writes from now on take effect in memory only. */
  hold(): void;
  /** Makes durable what is held; whoever goes on writing meanwhile waits for nothing. */
  flush(): Promise<void>;
  /** The same; from then on writes are written as they come. */
  release(): Promise<void>;
}

/** Several as one: each step goes through them in their order, one after the other. */
export function heldTogether(members: readonly HeldWrites[]): HeldWrites {
  return {
    hold: () => {
      for (const member of members) member.hold();
    },
    flush: async () => {
      for (const member of members) await member.flush();
    },
    release: async () => {
      for (const member of members) await member.release();
    },
  };
}

/** Databases whose writes are held and flushed together, in the order in which they were opened. */
export class DatabaseGroup {
  readonly #databases: HeldDatabase[] = [];
  readonly #open: OpenDatabase;
  readonly writes: HeldWrites = heldTogether(this.#databases);

  constructor(open: OpenDatabase) {
    this.#open = open;
  }

  /** Opens a database that belongs to the group. */
  readonly open: OpenDatabase = async (directory) => {
    const database = new HeldDatabase(await this.#open(directory));
    this.#databases.push(database);
    return database;
  };
}

interface Write {
  readonly key: Uint8Array;
  /** Undefined: deleted. */
  readonly value: Uint8Array | undefined;
}

type Writes = Map<string, Write>;

const NOTHING: ReadonlyMap<string, Write> = new Map();

/** A database that can keep its latest writes in memory. Reads see them. */
class HeldDatabase implements Database, HeldWrites {
  readonly #database: Database;
  #holds = false;
  #held: Writes = new Map();
  /** On its way to the disk. */
  #flushing: ReadonlyMap<string, Write> = NOTHING;

  constructor(database: Database) {
    this.#database = database;
  }

  getSync(key: Uint8Array): Uint8Array | undefined {
    if (this.#held.size + this.#flushing.size === 0) return this.#database.getSync(key);
    const name = nameOf(key);
    const write = this.#held.get(name) ?? this.#flushing.get(name);
    return write === undefined ? this.#database.getSync(key) : write.value;
  }

  batch(): DatabaseBatch {
    if (!this.#holds) return this.#database.batch();
    const writes: Write[] = [];
    return {
      put: (key, value) => writes.push({ key, value }),
      del: (key) => writes.push({ key, value: undefined }),
      write: async (options) => {
        if (this.#holds) this.#take(writes);
        else await this.#write(writes, options?.sync === true);
      },
    };
  }

  hold(): void {
    this.#holds = true;
  }

  async release(): Promise<void> {
    while (this.#held.size > 0) await this.flush();
    this.#holds = false; // in the same turn: nothing newer is written before what was held
  }

  async flush(): Promise<void> {
    const held = this.#held;
    if (held.size === 0) return;
    this.#flushing = held;
    this.#held = new Map();
    await this.#write([...held.values()], true);
    this.#flushing = NOTHING;
  }

  /** What is held is lost: it was promised to nobody. */
  async close(): Promise<void> {
    await this.#database.close();
  }

  #take(writes: readonly Write[]): void {
    for (const write of writes) this.#held.set(nameOf(write.key), write);
  }

  async #write(writes: readonly Write[], sync: boolean): Promise<void> {
    const batch = this.#database.batch();
    for (const { key, value } of writes) {
      if (value === undefined) batch.del(key);
      else batch.put(key, value);
    }
    await batch.write({ sync });
  }
}

function nameOf(key: Uint8Array): string {
  return Buffer.prototype.latin1Slice.call(key, 0, key.length);
}
