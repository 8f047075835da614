import type { MessageType } from '../proto/codec/message.ts';
import { byCodeUnit, canonicalJson } from './json.ts';
import { messageToJson } from './proto-json.ts';

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

/**
 * A message as an event: its name, and each field as JSON, by name (SDK `TypedEventToEvent`). Text stands in
 * quotes therefore.
 */
export function typedEvent<T>(type: MessageType<T>, message: T): Event {
  const json = messageToJson(type, message);
  const keys = Object.keys(json).sort(byCodeUnit);
  return { type: type.name, attributes: keys.map((key) => attribute(key, canonicalJson(json[key] ?? null))) };
}

/** The same event with a further pair at its end. */
export function withAttribute({ type, attributes }: Event, last: EventAttribute): Event {
  return { type, attributes: attributes.concat(last) };
}
