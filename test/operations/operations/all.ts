import { anyOfThem, type Operation } from '../world.ts';
import { attributionOperations } from './attribution.ts';
import { cardOperations } from './cards.ts';
import { claimOperations } from './claims.ts';
import { bankOperations } from './bank.ts';
import { channelOperations } from './channels.ts';
import { directOperations } from './direct.ts';
import { govOperations } from './gov.ts';
import { grantOperations } from './grants.ts';
import { influenceRequestOperations } from './influence-requests.ts';
import { nativeOperations } from './native.ts';
import { poolOperations } from './pools.ts';
import { settlementOperations } from './settlement.ts';
import { distributionOperations, stakingOperations } from './staking.ts';

/** Everything that people do. */
export const OPERATIONS: readonly Operation[] = [
  ...bankOperations,
  ...stakingOperations,
  ...distributionOperations,
  ...grantOperations,
  ...govOperations,
  ...nativeOperations,
  anyOfThem('channels', 40, channelOperations),
  anyOfThem('settlement', 170, settlementOperations),
  anyOfThem('direct payments', 50, directOperations),
  anyOfThem('pools', 45, poolOperations),
  anyOfThem('attribution', 170, [
    ...attributionOperations,
    ...claimOperations,
    ...cardOperations,
    ...influenceRequestOperations,
  ]),
];
