import type { AddressCodec } from '../../framework/address.ts';
import type { MessageRouter } from '../../framework/message.ts';
import type { AccountView } from '../auth/types.ts';
import type { BankKeeper } from '../bank/types.ts';
import type { CommunityPool } from '../distribution/types.ts';
import type { StakingView } from '../staking/types.ts';
import type { GovState } from './state.ts';

/** What governance needs from the rest of the application. */
export interface GovPorts {
  readonly addresses: AddressCodec;
  readonly accounts: AccountView;
  readonly bank: BankKeeper;
  readonly staking: StakingView;
  /** Takes what cancelled proposals cost, if the parameters say so. */
  readonly distribution: Pick<CommunityPool, 'communityPoolAccount' | 'fundCommunityPool'>;
  /** What proposals may carry out. Governance is itself a part of it, so it is there later. */
  readonly router: () => MessageRouter;
}

/** What the rules of governance work with. */
export interface GovCore extends GovPorts {
  readonly state: GovState;
}
