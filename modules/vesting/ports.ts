import type { AddressCodec } from '../../framework/address.ts';
import type { Coins } from '../../framework/coins.ts';
import type { ReadContext } from '../../framework/context.ts';
import type { VestingCreator } from '../auth/types.ts';
import type { BankTransfer } from '../bank/types.ts';

/** What vesting needs from the rest of the application. */
export interface VestingPorts {
  readonly accounts: VestingCreator;
  readonly bank: BankTransfer & {
    /** @throws StateError (bank 5) when one of the denominations may not be sent now */
    checkSendEnabled(context: ReadContext, coins: Coins): void;
  };
  readonly addresses: AddressCodec;
}
