/**
 * One registry of queries. REST, gRPC, reflection and `abci_query` are views of it: each query is a method
 * of a protobuf service, with the service's own request and response types and HTTP bindings.
 */
import { AssertionError, DecodeError } from '../core/errors.ts';
import type { MethodType, ServiceType } from '../proto/codec/field.ts';
import type { MessageType } from '../proto/codec/message.ts';
import type { Address, AddressCodec } from './address.ts';
import type { ReadContext } from './context.ts';
import { QueryError } from './errors.ts';
import { ELEMENTS_MAX } from './limits.ts';

/** Answers one method. Refuses by throwing `QueryError`. */
export interface QueryMethod {
  readonly request: MessageType<unknown>;
  readonly response: MessageType<unknown>;
  /** Request and response encoded. */
  answer(context: ReadContext, request: Uint8Array): Uint8Array;
}

/** A method with its place in the registry. */
export interface QueryRoute extends QueryMethod {
  /** `/cosmos.bank.v1beta1.Query/Balance`. */
  readonly path: string;
  readonly service: string;
  readonly method: MethodType;
  /** False: it says that it is not implemented. */
  readonly served: boolean;
}

/** Ties a handler to its request and response types. */
export function query<Q, A>(
  request: MessageType<Q>,
  response: MessageType<A>,
  handle: (context: ReadContext, request: Q) => A,
): QueryMethod {
  return {
    request,
    response,
    answer: (context, bytes) => response.encode(handle(context, decodeRequest(request, bytes))),
  };
}

function decodeRequest<Q>(type: MessageType<Q>, bytes: Uint8Array): Q {
  try {
    return type.decode(bytes, { elementsMax: ELEMENTS_MAX });
  } catch (cause) {
    if (cause instanceof DecodeError) throw new QueryError('InvalidArgument', cause.message);
    throw cause;
  }
}

/**
 * The routes of a service. Methods that are not given answer `Unimplemented`, so that a client sees why.
 * @throws AssertionError when a method is not one of the service or its types differ
 */
export function queryService(
  service: ServiceType,
  methods: Readonly<Record<string, QueryMethod>>,
): readonly QueryRoute[] {
  for (const name of Object.keys(methods))
    if (!service.methods.some((method) => method.name === name))
      throw new AssertionError(`service ${service.name} has no method ${name}`);
  return service.methods.map((method) => {
    const path = `/${service.name}/${method.name}`;
    const handler = methods[method.name];
    const given = handler ?? unimplemented(method, path);
    if (given.request !== method.input() || given.response !== method.output())
      throw new AssertionError(`types of ${path} differ from the service's`);
    return { ...given, path, service: service.name, method, served: handler !== undefined };
  });
}

function unimplemented(method: MethodType, path: string): QueryMethod {
  return query(method.input(), method.output(), () => {
    throw new QueryError('Unimplemented', `unknown method ${path}`);
  });
}

/** All queries of the application, by path. */
export class QueryRegistry {
  readonly #routes = new Map<string, QueryRoute>();

  constructor(routes: Iterable<QueryRoute>) {
    for (const route of routes) {
      if (this.#routes.has(route.path)) throw new AssertionError(`two handlers for ${route.path}`);
      this.#routes.set(route.path, route);
    }
  }

  get routes(): readonly QueryRoute[] {
    return [...this.#routes.values()];
  }

  find(path: string): QueryRoute | undefined {
    return this.#routes.get(path);
  }
}

/**
 * The address that a query names.
 * @throws QueryError `InvalidArgument` when the text is none, or one of another chain
 */
export function queriedAddress(addresses: AddressCodec, text: string): Address {
  try {
    return addresses.toBytes(text);
  } catch {
    throw new QueryError('InvalidArgument', `'${text}' is not an address of this chain`);
  }
}
