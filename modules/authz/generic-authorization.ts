import type { AuthorizationHandler } from '../../framework/authorization.ts';
import { StateError, sdkErrors } from '../../framework/errors.ts';
import { GenericAuthorization } from '../../proto/gen/cosmos/authz/v1beta1/authz.ts';

/** Any message of one type, without limit. */
export const genericAuthorization: AuthorizationHandler<GenericAuthorization> = {
  type: GenericAuthorization,
  messageTypeUrl: ({ msg }) => msg,
  validate({ msg }) {
    if (msg === '') throw new StateError(sdkErrors.invalidType, 'msg type cannot be empty');
  },
  accept: (_, authorization) => authorization,
};
