import type { AddressCodec } from '../../framework/address.ts';
import type { AccountCreator } from '../auth/types.ts';
import type { BankView } from '../bank/types.ts';

/** What feegrant needs from the rest of the application. */
export interface FeegrantPorts {
  readonly accounts: AccountCreator;
  readonly bank: Pick<BankView, 'isBlocked'>;
  readonly addresses: AddressCodec;
}
