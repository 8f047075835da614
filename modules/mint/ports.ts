import type { AddressCodec } from '../../framework/address.ts';
import type { BankKeeper } from '../bank/types.ts';
import type { StakingView } from '../staking/types.ts';
import type { MintState } from './state.ts';

/** What mint needs from the rest of the application. */
export interface MintPorts {
  readonly addresses: AddressCodec;
  readonly bank: BankKeeper;
  readonly staking: StakingView;
  /** Module account that new coins go to. */
  readonly feeCollector: string;
}

/** What the rules of mint work with. */
export interface MintCore extends MintPorts {
  readonly state: MintState;
}
