import { AnyTypes } from '../../framework/any-types.ts';
import type { AuthorizationRoute, BoundAuthorization } from '../../framework/authorization.ts';
import { StateError, sdkErrors } from '../../framework/errors.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';

const INTERFACE = 'cosmos.authz.v1beta1.Authorization';

/** All kinds of authorization, by type URL. */
export class Authorizations {
  readonly types: AnyTypes;
  readonly #routes: ReadonlyMap<string, AuthorizationRoute>;

  constructor(routes: readonly AuthorizationRoute[]) {
    this.types = new AnyTypes(routes.map(({ type }) => ({ type })));
    this.#routes = new Map(routes.map((route) => [route.type.typeUrl, route]));
  }

  /** @throws StateError (sdk 29) when there is none, (sdk 2) when it is of an unknown type or malformed */
  bind(any: Any | undefined): BoundAuthorization {
    if (any === undefined) throw new StateError(sdkErrors.invalidType, 'authorization is nil');
    this.types.unpack(any, INTERFACE);
    const route = this.#routes.get(any.typeUrl);
    if (route === undefined) throw new StateError(sdkErrors.logic, `no handler for ${any.typeUrl}`);
    return route.bind(any.value);
  }
}
