import type { AddressCodec } from '../../framework/address.ts';
import type { BankTransfer } from '../bank/types.ts';
import type { StakingView } from '../staking/types.ts';
import type { DistributionState } from './state.ts';

/** Text of the addresses that distribution knows. */
export interface DistributionAddresses {
  readonly accounts: AddressCodec;
  /** `…valoper`: operators of validators. */
  readonly validators: AddressCodec;
  /** `…valcons`: consensus keys. */
  readonly consensus: AddressCodec;
}

/** What distribution needs from the rest of the application. */
export interface DistributionPorts {
  readonly addresses: DistributionAddresses;
  readonly bank: BankTransfer;
  readonly staking: StakingView;
  /** Module account whose coins are distributed. */
  readonly feeCollector: string;
}

/** What the rules of distribution work with. */
export interface DistributionCore extends DistributionPorts {
  readonly state: DistributionState;
}
