/**
 * Answers a query from an index. As in CometBFT v0.38, conditions on attributes must hold within one event of
 * a transaction or block, and conditions on the height narrow what is looked at.
 */
import { fromUint64BigEndian } from '../../core/bytes.ts';
import { LedgerError } from '../../core/errors.ts';
import type { Query } from '../query.ts';
import {
  endOf,
  EVENT_NUMBER_BYTES,
  eventKey,
  eventPrefix,
  HEIGHT_BYTES,
  type IndexLayout,
  itemOf,
  PLACE_BYTES,
  primaryKey,
  valueOfKey,
} from './keys.ts';
import { type HeightBounds, planSearch, type Scan } from './plan.ts';
import type { IndexDatabase, IndexEntry, IndexRange } from './ports.ts';

/** The items that match, rising by height and index: as latin-1 strings of their bytes (see `keys.ts`). */
export type FoundItems = readonly string[];

/**
 * Runs a query. @throws LedgerError `index.query_too_costly` when it would read more than `entriesMax`
 * entries
 */
export async function searchIndex(
  database: IndexDatabase,
  layout: IndexLayout,
  request: { readonly query: Query; readonly entriesMax: number },
): Promise<FoundItems> {
  const { heights, scans } = planSearch(request.query, layout.heightTag);
  if (heights.low > heights.high) return [];
  const reader = new Reader(database, layout, request.entriesMax);
  if (scans.length === 0) return await reader.itemsByHeight(heights);
  let found: Set<string> | undefined;
  for (const scan of scans) {
    found = await reader.events(scan, heights, found);
    if (found.size === 0) return [];
  }
  const items = new Set<string>();
  for (const event of found ?? []) items.add(event.slice(0, layout.itemBytes));
  return [...items].sort(compareText);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

class Reader {
  readonly #database: IndexDatabase;
  readonly #layout: IndexLayout;
  readonly #entriesMax: number;
  #entriesRead = 0;

  constructor(database: IndexDatabase, layout: IndexLayout, entriesMax: number) {
    this.#database = database;
    this.#layout = layout;
    this.#entriesMax = entriesMax;
  }

  async itemsByHeight(heights: HeightBounds): Promise<FoundItems> {
    const items: string[] = [];
    const range = {
      start: primaryKey(this.#layout, itemOf(heights.low)),
      end: primaryKey(this.#layout, itemOf(heights.high + 1n)),
    };
    for await (const [key, value] of this.#entries(range)) {
      const height = fromUint64BigEndian(key.subarray(1));
      if (this.#layout.itemBytes === HEIGHT_BYTES) items.push(latin1(itemOf(height)));
      else {
        const count = value.length / PLACE_BYTES;
        this.#count(count - 1);
        for (let index = 0; index < count; index++) items.push(latin1(itemOf(height, index)));
      }
    }
    return items;
  }

  /** Items with event numbers that pass a scan and are in `among`, if that is given. */
  async events(scan: Scan, heights: HeightBounds, among: Set<string> | undefined): Promise<Set<string>> {
    const found = new Set<string>();
    const prefix = eventPrefix(this.#layout, scan.tag, scan.value);
    const bounds = { low: itemOf(heights.low), high: itemOf(heights.high + 1n) };
    const range =
      scan.value === undefined
        ? { start: prefix, end: endOf(prefix) }
        : { start: eventKey(prefix, bounds.low), end: eventKey(prefix, bounds.high) };
    const [low, high] = [latin1(bounds.low), latin1(bounds.high)];
    const occurrenceBytes = this.#layout.itemBytes - HEIGHT_BYTES + EVENT_NUMBER_BYTES;
    for await (const [key, occurrences] of this.#entries(range)) {
      const height = latin1(key.subarray(key.length - HEIGHT_BYTES));
      if (height < low || height >= high) continue;
      if (scan.value === undefined && !scan.accepts(valueOfKey(key, prefix.length))) continue;
      this.#count(occurrences.length / occurrenceBytes - 1);
      for (let at = 0; at < occurrences.length; at += occurrenceBytes) {
        const event = height + latin1(occurrences.subarray(at, at + occurrenceBytes));
        if (among === undefined || among.has(event)) found.add(event);
      }
    }
    return found;
  }

  async *#entries(range: IndexRange): AsyncGenerator<IndexEntry> {
    for await (const entry of this.#database.entries(range)) {
      this.#count(1);
      yield entry;
    }
  }

  #count(entries: number): void {
    this.#entriesRead += entries;
    if (this.#entriesRead <= this.#entriesMax) return;
    throw new LedgerError(
      'index.query_too_costly',
      `query reads more than ${this.#entriesMax} index entries: narrow it, ` +
        `for example with bounds on ${this.#layout.heightTag}`,
      { entriesMax: this.#entriesMax },
    );
  }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}
