import type { MessageType } from '../proto/codec/message.ts';
import type { Any } from '../proto/gen/google/protobuf/any.ts';
import type { ReadContext } from './context.ts';
import type { BoundMessage } from './message.ts';

/**
 * A kind of authorization that one account may give another (x/authz): a module that knows a message well
 * declares one for it, as bank does for MsgSend.
 */
export interface AuthorizationHandler<A> {
  readonly type: MessageType<A>;
  /** Type URL of the messages that it is for. */
  messageTypeUrl(authorization: A): string;
  /** @throws StateError when it makes no sense */
  validate(authorization: A): void;
  /**
   * Whether a message may be executed.
   * @returns what is left of the authorization: the same object when nothing changes, undefined when it is
   * used up
   * @throws StateError when the message is not allowed
   */
  accept(context: ReadContext, authorization: A, message: BoundMessage): A | undefined;
}

/** A handler whose type is hidden, for tables. */
export interface AuthorizationRoute {
  readonly type: MessageType<unknown>;
  /** @throws DecodeError when the bytes are no such authorization */
  bind(bytes: Uint8Array): BoundAuthorization;
}

/** What became of an authorization that accepted a message. */
export type Acceptance =
  | { readonly outcome: 'unchanged' }
  | { readonly outcome: 'used-up' }
  | { readonly outcome: 'updated'; readonly authorization: Any };

/** An authorization together with its handler. */
export interface BoundAuthorization {
  readonly messageTypeUrl: string;
  /** As it is stored. */
  readonly any: Any;
  validate(): void;
  accept(context: ReadContext, message: BoundMessage): Acceptance;
}

/** Makes a handler usable by authz. */
export function authorizationRoute<A>(handler: AuthorizationHandler<A>): AuthorizationRoute {
  const { type } = handler;
  return {
    type,
    bind(bytes) {
      const authorization = type.decode(bytes);
      return {
        messageTypeUrl: handler.messageTypeUrl(authorization),
        any: { typeUrl: type.typeUrl, value: type.encode(authorization) },
        validate: () => handler.validate(authorization),
        accept(context, message) {
          const left = handler.accept(context, authorization, message);
          if (left === undefined) return { outcome: 'used-up' };
          if (left === authorization) return { outcome: 'unchanged' };
          const any = { typeUrl: type.typeUrl, value: type.encode(left) };
          return { outcome: 'updated', authorization: any };
        },
      };
    },
  };
}
