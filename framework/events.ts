/**
 * A fact about a transaction or block that indexers and subscribers search by. Order of attributes is kept.
 */
export interface Event {
  readonly type: string;
  readonly attributes: readonly EventAttribute[];
}

/** One searchable pair. `index` is true for all: what an operator indexes is the indexer's configuration. */
export interface EventAttribute {
  readonly key: string;
  readonly value: string;
  readonly index: boolean;
}

/** An event of these pairs, in this order. */
export function event(type: string, pairs: Readonly<Record<string, string>>): Event {
  return { type, attributes: Object.keys(pairs).map((key) => attribute(key, pairs[key] ?? '')) };
}

/** As `event`, at half the cost: for the events of every transfer. */
export function eventOf(type: string, ...attributes: readonly EventAttribute[]): Event {
  return { type, attributes };
}

/** A pair for `eventOf`. */
export function attribute(key: string, value: string): EventAttribute {
  return { key, value, index: true };
}

/** The same event with a further pair at its end. */
export function withAttribute({ type, attributes }: Event, last: EventAttribute): Event {
  return { type, attributes: attributes.concat(last) };
}
