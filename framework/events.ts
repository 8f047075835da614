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
  const attributes: EventAttribute[] = [];
  for (const key of Object.keys(pairs)) attributes.push({ key, value: pairs[key] ?? '', index: true });
  return { type, attributes };
}

/** The same event with a further pair at its end. */
export function withAttribute(base: Event, key: string, value: string): Event {
  return { type: base.type, attributes: [...base.attributes, { key, value, index: true }] };
}
