import type { Address, AddressCodec } from '../../framework/address.ts';
import type { BankTransfer } from '../bank/types.ts';
import type { CommunityPool, WithdrawAddresses } from '../distribution/types.ts';
import type { PoolState } from './state.ts';

/** What pools needs from the rest of the application. */
export interface PoolPorts {
  readonly addresses: AddressCodec;
  readonly bank: BankTransfer;
  /** The residual party: gets what nobody is owed. */
  readonly communityPool: CommunityPool;
  /** Where owners have their money sent. */
  readonly withdrawAddresses: WithdrawAddresses;
}

/** What the functions of the module work with. */
export interface PoolsCore extends PoolPorts {
  readonly state: PoolState;
  /** The module's account. */
  readonly account: Address;
}
