import type { AddressCodec } from '../../framework/address.ts';
import type { AuthorizationRoute } from '../../framework/authorization.ts';
import type { MessageRouter } from '../../framework/message.ts';
import type { AccountCreator } from '../auth/types.ts';
import type { BankView } from '../bank/types.ts';

/** What authz needs from the rest of the application. */
export interface AuthzPorts {
  readonly accounts: AccountCreator;
  readonly bank: Pick<BankView, 'isBlocked'>;
  readonly addresses: AddressCodec;
  /** Kinds of authorization that other modules know, besides the generic one. */
  readonly authorizations: readonly AuthorizationRoute[];
  /** All messages, those of authz among them: asked for when a transaction is there, not before. */
  readonly router: () => MessageRouter;
}
