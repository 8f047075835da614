/**
 * What an `Any` may hold. The protobuf type says only that it is some message; the .proto file says which
 * interface is expected (`cosmos_proto.accepts_interface`) and which one a message is
 * (`implements_interface`). A transaction is refused when something in it, at any depth, is unknown or of
 * another kind: nothing that a handler or a signer's device could misread gets that far. Source: Cosmos SDK
 * v0.50 `codec/types/interface_registry.go`.
 */
import { DecodeError } from '../core/errors.ts';
import type { Instant } from '../core/time.ts';
import type { Field } from '../proto/codec/field.ts';
import { ELEMENTS_MAX } from './limits.ts';
import type { MessageType } from '../proto/codec/message.ts';
import type { Any } from '../proto/gen/google/protobuf/any.ts';
import { StateError, sdkErrors } from './errors.ts';

/** Deepest nesting of an `Any` in an `Any`, a message of a transaction being the first. */
export const ANY_DEPTH_MAX = 10;

/** Most `Any`s in one message of a transaction, itself included. */
export const ANY_COUNT_MAX = 100;

/** Interface of what a transaction carries out. */
export const MESSAGE_INTERFACE = 'cosmos.base.v1beta1.Msg';

/** A type that an `Any` may hold. */
export interface AnyType {
  readonly type: MessageType<unknown>;
  /** The interface it is taken for, where its .proto file does not say. */
  readonly interfaceName?: string;
}

/** An `Any` with its message decoded. */
export interface Unpacked {
  readonly type: MessageType<unknown>;
  readonly value: unknown;
}

const ANY_NAME = 'google.protobuf.Any';
const TIMESTAMP_NAME = 'google.protobuf.Timestamp';
const DURATION_NAME = 'google.protobuf.Duration';
const CHECKED: ReadonlySet<string> = new Set([ANY_NAME, TIMESTAMP_NAME, DURATION_NAME]);

/** Years 1 to 9999. */
const TIMESTAMP_SECONDS_MIN = -62_135_596_800n;
const TIMESTAMP_SECONDS_MAX = 253_402_300_799n;
const NANOS_MAX = 999_999_999;
const NANOS_PER_SECOND = 1_000_000_000n;
/** Go's `time.Duration` is a signed 64-bit number of nanoseconds. */
const DURATION_NANOS_MAX = (1n << 63n) - 1n;

/** Limits of a set of types. */
interface AnyTypesOptions {
  readonly elementsMax?: number;
}

/** All types that an `Any` may hold, by type URL. */
export class AnyTypes {
  readonly #types = new Map<string, AnyType>();
  readonly #elementsMax: number;

  /**
   * @param options.elementsMax elements of repeated fields in what one `Any` holds; default `ELEMENTS_MAX`
   * @throws StateError (sdk 35) when two types share a URL
   */
  constructor(types: Iterable<AnyType>, { elementsMax = ELEMENTS_MAX }: AnyTypesOptions = {}) {
    this.#elementsMax = elementsMax;
    for (const entry of types) {
      const known = this.#types.get(entry.type.typeUrl);
      if (known !== undefined && known.type !== entry.type)
        throw new StateError(sdkErrors.logic, `two types for ${entry.type.typeUrl}`);
      if (known === undefined) this.#types.set(entry.type.typeUrl, entry);
    }
  }

  get typeUrls(): readonly string[] {
    return [...this.#types.keys()];
  }

  find(typeUrl: string): MessageType<unknown> | undefined {
    return this.#types.get(typeUrl)?.type;
  }

  /**
   * The message inside. What is inside of that is not looked at: see `check`.
   * @param accepts the interface that is expected; undefined for any
   * @throws StateError (sdk 2) when the type is unknown or not one of the interface, or the bytes are no such
   * message
   */
  unpack({ typeUrl, value }: Any, accepts?: string): Unpacked {
    const entry = this.#types.get(typeUrl);
    if (entry === undefined)
      throw new StateError(sdkErrors.txDecode, `unable to resolve type URL ${typeUrl}`);
    const { type } = entry;
    const is = entry.interfaceName ?? type.options['cosmos_proto.implements_interface'];
    if (accepts !== undefined && is !== accepts)
      throw new StateError(
        sdkErrors.txDecode,
        `no concrete type registered for type URL ${typeUrl} against interface ${accepts}`,
      );
    try {
      const options = { unknown: 'reject-critical', elementsMax: this.#elementsMax } as const;
      return { type, value: type.decode(value, options) };
    } catch (cause) {
      if (cause instanceof DecodeError) throw new StateError(sdkErrors.txDecode, cause.message);
      throw cause;
    }
  }

  /**
   * Looks at every `Any` in a message, and in what those hold; and at every time and duration, which must be
   * those that Go's `time` knows.
   * @throws StateError (sdk 2) as `unpack`, when there are too many or too deep ones, or a time does not
   * exist
   */
  check<T>(type: MessageType<T>, message: T): void {
    if (needsCheck(type)) this.#walk(type, message, { depth: 1, budget: { left: ANY_COUNT_MAX - 1 } });
  }

  #walk(type: MessageType<unknown>, message: unknown, at: Place): void {
    const properties = message as Readonly<Record<string, unknown>>;
    for (const field of type.fields) {
      if (field.value.kind !== 'message') continue;
      const held = field.value.message();
      if (!CHECKED.has(held.name) && !needsCheck(held)) continue;
      for (const value of valuesOf(field, properties[field.name])) {
        if (held.name === ANY_NAME) this.#enter(value as Any, field, at);
        else if (held.name === TIMESTAMP_NAME) checkTimestamp(value as Instant, field.protoName);
        else if (held.name === DURATION_NAME) checkDuration(value as Instant, field);
        else this.#walk(held, value, at);
      }
    }
  }

  #enter(any: Any, field: Field, { depth, budget }: Place): void {
    if (depth === ANY_DEPTH_MAX) throw new StateError(sdkErrors.txDecode, 'max depth exceeded');
    if (budget.left === 0) throw new StateError(sdkErrors.txDecode, 'call limit exceeded');
    budget.left--;
    const accepts = field.options?.['cosmos_proto.accepts_interface'];
    const { type, value } = this.unpack(any, typeof accepts === 'string' ? accepts : undefined);
    if (needsCheck(type)) this.#walk(type, value, { depth: depth + 1, budget });
  }
}

/** How deep a walk is, and how many more `Any`s it may open. */
interface Place {
  readonly depth: number;
  readonly budget: { left: number };
}

function valuesOf(field: Field, value: unknown): readonly unknown[] {
  if (field.rule === 'repeated') return value as readonly unknown[];
  return value === undefined ? [] : [value];
}

/** What was found out about types: they are few and never change. */
const known = new WeakMap<MessageType<unknown>, boolean>();

/**
 * True when a message of the type can hold an `Any`, a time or a duration, itself or in a message within it.
 */
function needsCheck(type: MessageType<unknown>): boolean {
  let answer = known.get(type);
  if (answer === undefined) {
    answer = reachesChecked(type, new Set());
    known.set(type, answer);
  }
  return answer;
}

/** Types may refer to each other in circles: each is looked at once. */
function reachesChecked(type: MessageType<unknown>, seen: Set<MessageType<unknown>>): boolean {
  if (seen.has(type)) return false;
  seen.add(type);
  return type.fields.some(({ value }) => {
    if (value.kind !== 'message') return false;
    const held = value.message();
    return CHECKED.has(held.name) || reachesChecked(held, seen);
  });
}

/** @throws StateError (sdk 2) naming the field when the time is none that Go knows */
export function checkTimestamp({ seconds, nanos }: Instant, name: string): void {
  const isTime = seconds >= TIMESTAMP_SECONDS_MIN && seconds <= TIMESTAMP_SECONDS_MAX;
  if (!isTime || nanos < 0 || nanos > NANOS_MAX)
    throw new StateError(sdkErrors.txDecode, `${name} is no time of the years 1 to 9999`);
}

function checkDuration({ seconds, nanos }: Instant, { protoName }: Field): void {
  const total = seconds * NANOS_PER_SECOND + BigInt(nanos);
  const sameSign = !(seconds > 0n && nanos < 0) && !(seconds < 0n && nanos > 0);
  const isInRange = total <= DURATION_NANOS_MAX && total >= -DURATION_NANOS_MAX;
  if (!sameSign || !isInRange || Math.abs(nanos) > NANOS_MAX)
    throw new StateError(sdkErrors.txDecode, `${protoName} is no duration of at most 292 years`);
}
