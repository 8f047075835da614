/** A backend in memory, for tests and for nodes that may forget. */
import { compareBytes } from '../../core/bytes.ts';
import { LedgerError } from '../../core/errors.ts';
import type { KeyRange, KeyValue } from '../kv.ts';
import { keyText } from '../overlay.ts';
import type { Backend, BackendWrite, WriteOptions } from './backend.ts';

/**
 * The pairs of a memory backend by `keyText`: handed to the next one, they are what the disk would have kept.
 */
export type MemoryPairs = Map<string, KeyValue>;

/** See the file comment. */
export class MemoryBackend implements Backend {
  readonly #pairs: MemoryPairs;
  #closed = false;

  constructor(pairs: MemoryPairs = new Map()) {
    this.#pairs = pairs;
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    this.#requireOpen();
    const pair = this.#pairs.get(keyText(key));
    return pair === undefined ? undefined : new Uint8Array(pair[1]);
  }

  async *iterate(range: KeyRange): AsyncIterable<KeyValue> {
    for (const [key, value] of this.#sorted(range)) yield [key, value];
  }

  async *keys(range: KeyRange): AsyncIterable<Uint8Array> {
    for (const [key] of this.#sorted(range)) yield key;
  }

  async write(batch: readonly BackendWrite[], _options: WriteOptions): Promise<void> {
    this.#requireOpen();
    for (const { key, value } of batch) {
      if (value === undefined) this.#pairs.delete(keyText(key));
      else this.#pairs.set(keyText(key), [new Uint8Array(key), new Uint8Array(value)]);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #sorted(range: KeyRange): KeyValue[] {
    this.#requireOpen();
    const { start, end } = range;
    const found: KeyValue[] = [];
    for (const [key, value] of this.#pairs.values()) {
      if (start !== undefined && compareBytes(key, start) < 0) continue;
      if (end !== undefined && compareBytes(key, end) >= 0) continue;
      found.push([new Uint8Array(key), new Uint8Array(value)]);
    }
    const sign = range.reverse === true ? -1 : 1;
    return found.sort(([a], [b]) => sign * compareBytes(a, b));
  }

  #requireOpen(): void {
    if (this.#closed) throw new LedgerError('store.closed', 'the database is closed');
  }
}
