import type { AddressCodec } from '../../framework/address.ts';
import type { ConsensusView } from '../consensus/types.ts';
import type { SlashingKeeper } from '../slashing/types.ts';
import type { StakingView } from '../staking/types.ts';
import type { EvidenceState } from './state.ts';
import type { EvidenceHandler } from './types.ts';

/** Text of the addresses that evidence knows. */
export interface EvidenceAddresses {
  readonly accounts: AddressCodec;
  /** `…valcons`: consensus keys. */
  readonly consensus: AddressCodec;
}

/** What evidence needs from the rest of the application. */
export interface EvidencePorts {
  readonly addresses: EvidenceAddresses;
  readonly consensus: ConsensusView;
  readonly staking: StakingView;
  readonly slashing: SlashingKeeper;
  /** What judges evidence that transactions bring, by route. None: such transactions are refused. */
  readonly handlers: ReadonlyMap<string, EvidenceHandler>;
}

/** What the rules of evidence work with. */
export interface EvidenceCore extends EvidencePorts {
  readonly state: EvidenceState;
}
