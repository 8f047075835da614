import type { AddressCodec } from '../../framework/address.ts';
import type { AccountCreator, AccountLocks } from '../auth/types.ts';
import type { SendRestriction } from './types.ts';

/** What bank needs from the rest of the application. */
export interface BankPorts {
  readonly accounts: AccountCreator & AccountLocks;
  readonly addresses: AddressCodec;
  /** Asked one after the other, each about the recipient that the one before named. */
  readonly sendRestrictions: readonly SendRestriction[];
}
