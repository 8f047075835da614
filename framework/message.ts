import { DecodeError } from '../core/errors.ts';
import type { MessageType } from '../proto/codec/message.ts';
import type { Address, AddressCodec } from './address.ts';
import { type AnyType, AnyTypes, MESSAGE_INTERFACE } from './any-types.ts';
import type { Context, ReadContext } from './context.ts';
import { StateError, sdkErrors } from './errors.ts';
import { ELEMENTS_MAX } from './limits.ts';
import { KEY_TYPES } from './key-types.ts';
import type { SignatureTask } from './tx/signature.ts';

/**
 * A message of a module, handled in three phases:
 *
 * | phase    | sees                | when                                   |
 * | -------- | ------------------- | -------------------------------------- |
 * | validate | the message         | CheckTx, simulation and delivery, before any state |
 * | check    | state, read-only    | just before execute: everything that can be refused |
 * | execute  | state, writable     | after check: does it                   |
 *
 * What `check` found out (`C`) is handed to `execute`, so that nothing is read or decided twice. Any phase
 * refuses by throwing `StateError`; the transaction's writes are then dropped.
 */
export interface MessageHandler<M, R, C> {
  readonly type: MessageType<M>;
  readonly response: MessageType<R>;
  /** Amino name (`cosmos-sdk/MsgSend`), if another than the type's own `amino.name`. */
  readonly aminoName?: string;
  /** Addresses, as text, whose signatures the message needs, in order. At least one. */
  signers(message: M): readonly string[];
  validate(message: M): void;
  /**
   * Signatures that `check` will most likely verify, so that a node can have them verified on threads before
   * the block is executed. For messages of many. A hint: nothing may depend on it. May throw as `check`.
   */
  signatures?(context: ReadContext, message: M): readonly SignatureTask[];
  check(context: ReadContext, message: M): C;
  execute(context: Context, message: M, checked: C): R;
}

/** A handler whose message, response and plan types are hidden, for tables. */
export interface MessageRoute {
  readonly typeUrl: string;
  /** `bank` of `/cosmos.bank.v1beta1.MsgSend`. */
  readonly moduleName: string;
  readonly type: MessageType<unknown>;
  readonly response: MessageType<unknown>;
  readonly aminoName: string | undefined;
  /** @throws StateError (sdk 2) when the bytes are no such message */
  bind(bytes: Uint8Array, addresses: AddressCodec): BoundMessage;
}

/** A decoded message together with its handler. */
export interface BoundMessage {
  readonly typeUrl: string;
  /** Who must sign, without duplicates, in order. */
  readonly signers: readonly Address[];
  readonly value: unknown;
  readonly route: MessageRoute;
  /** Depends on the message only, so what has passed once, in CheckTx, is not looked at again. */
  validate(): void;
  /** As of the handler; absent where it has none. */
  readonly signatures?: (context: ReadContext) => readonly SignatureTask[];
  /** `check`, then `execute`; the encoded response. */
  run(context: Context): Uint8Array;
}

/** Makes a handler usable by the router. */
export function messageRoute<M, R, C>(handler: MessageHandler<M, R, C>): MessageRoute {
  const route: MessageRoute = {
    typeUrl: handler.type.typeUrl,
    moduleName: handler.type.typeUrl.split('.')[1] ?? '',
    type: handler.type,
    response: handler.response,
    aminoName: handler.aminoName ?? handler.type.options['amino.name'],
    bind(bytes, addresses) {
      const message = decodeMessage(handler.type, bytes);
      let isValid = false;
      return {
        typeUrl: handler.type.typeUrl,
        signers: uniqueSigners(handler.signers(message), addresses),
        value: message,
        route,
        validate() {
          if (!isValid) handler.validate(message);
          isValid = true;
        },
        ...(handler.signatures === undefined
          ? {}
          : { signatures: (context) => handler.signatures?.(context, message) ?? [] }),
        run(context) {
          const checked = handler.check(context, message);
          return handler.response.encode(handler.execute(context, message, checked));
        },
      };
    },
  };
  return route;
}

/**
 * Unknown fields inside a message are refused, as the SDK refuses them, unless their number marks them
 * non-critical.
 */
function decodeMessage<M>(type: MessageType<M>, bytes: Uint8Array): M {
  try {
    return type.decode(bytes, { unknown: 'reject-critical', elementsMax: ELEMENTS_MAX });
  } catch (cause) {
    if (cause instanceof DecodeError) throw new StateError(sdkErrors.txDecode, cause.message);
    throw cause;
  }
}

function uniqueSigners(texts: readonly string[], addresses: AddressCodec): readonly Address[] {
  const [only] = texts;
  if (texts.length === 1 && only !== undefined) return [addresses.toBytes(only)];
  return [...new Set(texts)].map((text) => addresses.toBytes(text));
}

/** The message, if it is one of this type. */
export function messageOfType<M>(message: BoundMessage, type: MessageType<M>): M | undefined {
  return message.route.type === type ? (message.value as M) : undefined;
}

/** All messages of the application, by type URL. */
export class MessageRouter {
  /** What an `Any` in a message may hold: these messages, public keys, and what modules add. */
  readonly types: AnyTypes;
  readonly #routes = new Map<string, MessageRoute>();

  constructor(routes: Iterable<MessageRoute>, anyTypes: readonly AnyType[] = []) {
    for (const route of routes) {
      if (this.#routes.has(route.typeUrl))
        throw new StateError(sdkErrors.logic, `two handlers for ${route.typeUrl}`);
      this.#routes.set(route.typeUrl, route);
    }
    const messages = [...this.#routes.values()].map(({ type }) => ({
      type,
      interfaceName: MESSAGE_INTERFACE,
    }));
    this.types = new AnyTypes([...messages, ...KEY_TYPES, ...anyTypes]);
  }

  get typeUrls(): readonly string[] {
    return [...this.#routes.keys()];
  }

  find(typeUrl: string): MessageRoute | undefined {
    return this.#routes.get(typeUrl);
  }

  /** @throws StateError (sdk 2) as the SDK does for a type that is not registered */
  require(typeUrl: string): MessageRoute {
    const route = this.#routes.get(typeUrl);
    if (route === undefined)
      throw new StateError(sdkErrors.txDecode, `unable to resolve type URL ${typeUrl}`);
    return route;
  }
}
