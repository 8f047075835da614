import type { AddressCodec } from '../../framework/address.ts';
import type { StakingKeeper } from '../staking/types.ts';
import type { SlashingState } from './state.ts';

/** Text of the addresses that slashing knows. */
export interface SlashingAddresses {
  readonly accounts: AddressCodec;
  /** `…valoper`: operators of validators. */
  readonly validators: AddressCodec;
  /** `…valcons`: consensus keys. */
  readonly consensus: AddressCodec;
}

/** What slashing needs from the rest of the application. */
export interface SlashingPorts {
  readonly addresses: SlashingAddresses;
  readonly staking: StakingKeeper;
}

/** What the rules of slashing work with. */
export interface SlashingCore extends SlashingPorts {
  readonly state: SlashingState;
}
