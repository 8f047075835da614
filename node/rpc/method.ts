/**
 * A method of the API: its name, its parameters and what it does. One table of them serves all transports.
 */
import type { Json } from '../../light/json/json.ts';
import type { RawJson } from './json/raw.ts';
import { isGiven, type ParamSchema, type ParamValues } from './params.ts';

/** What a method answers with. */
export type MethodResult = Json | RawJson;

/** A websocket connection, as the subscription methods see it. */
export interface Connection {
  /** Names the client on the event bus. */
  readonly client: string;
  /** Sends a message of its own accord; false when the connection should get no more for now. */
  send(text: string): boolean;
  /** Calls back once, when it can get more. */
  onDrain(callback: () => void): void;
}

/** Where a call comes from. */
export interface CallContext {
  /** Address and port of the caller. */
  readonly remote: string;
  /** Undefined over HTTP. */
  readonly connection: Connection | undefined;
  /** The JSON text of the request's id: subscriptions send their events under it. */
  readonly id: string;
}

/** How the parameters of a call are read. @throws ParamError */
export type ReadParams = <S extends ParamSchema>(schema: S) => ParamValues<S>;

/** A call that is under way. */
export interface Call {
  readonly result: MethodResult | Promise<MethodResult>;
  /** True when the answer will not change. */
  readonly cacheable: boolean;
}

/** A row of the table. */
export interface Method {
  readonly name: string;
  readonly params: readonly string[];
  readonly websocketOnly: boolean;
  /** @throws ParamError when a parameter cannot be read, or what the method throws */
  readonly call: (read: ReadParams, context: CallContext) => Call;
}

/** Defines a method; `call` gets the parameters as the schema types them. */
export function method<const S extends ParamSchema>(definition: {
  readonly name: string;
  readonly params: S;
  /** The answer never changes: always, or when this parameter is given. Default: it may change. */
  readonly cacheable?: 'always' | keyof S;
  readonly websocketOnly?: boolean;
  readonly call: (params: ParamValues<S>, context: CallContext) => MethodResult | Promise<MethodResult>;
}): Method {
  const { name, params: schema, cacheable } = definition;
  return {
    name,
    params: Object.keys(schema),
    websocketOnly: definition.websocketOnly ?? false,
    call: (read, context) => {
      const params = read(schema);
      return {
        result: definition.call(params, context),
        cacheable: cacheable === 'always' || (cacheable !== undefined && isGiven(params[cacheable])),
      };
    },
  };
}
