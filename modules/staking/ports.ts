import type { AddressCodec } from '../../framework/address.ts';
import type { BankStaking } from '../bank/types.ts';
import type { ConsensusView } from '../consensus/types.ts';
import type { StakingState } from './state.ts';
import type { StakingHooks } from './types.ts';

/** Text of the addresses that staking knows. */
export interface StakingAddresses {
  readonly accounts: AddressCodec;
  /** `…valoper`: operators of validators. */
  readonly validators: AddressCodec;
}

/** What staking needs from the rest of the application. */
export interface StakingPorts {
  readonly addresses: StakingAddresses;
  readonly bank: BankStaking;
  readonly consensus: ConsensusView;
  readonly hooks: StakingHooks;
}

/** What the rules of staking work with. */
export interface StakingCore extends StakingPorts {
  readonly state: StakingState;
}
