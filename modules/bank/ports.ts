import type { AddressCodec } from '../../framework/address.ts';
import type { AccountCreator, AccountLocks } from '../auth/types.ts';

/** What bank needs from the rest of the application. */
export interface BankPorts {
  readonly accounts: AccountCreator & AccountLocks;
  readonly addresses: AddressCodec;
}
