import type { AddressCodec } from '../../framework/address.ts';
import type { AttributionVerifier } from '../attribution/types.ts';
import type { StatementVerifier } from '../../framework/tx/statement.ts';
import type { BankTransfer, SendRules } from '../bank/types.ts';
import type { DatanetView } from '../datanet/types.ts';
import type { CommunityPool } from '../distribution/types.ts';
import type { ModelView } from '../models/types.ts';
import type { PoolPayer } from '../pools/types.ts';

/** What payments needs from the rest of the application. */
export interface PaymentPorts {
  readonly addresses: AddressCodec;
  readonly bank: BankTransfer & SendRules;
  readonly datanets: DatanetView;
  readonly models: ModelView;
  readonly attribution: AttributionVerifier;
  /** Get what is not attributed to anybody. */
  readonly pools: PoolPayer;
  /** Gets the platform's part. */
  readonly communityPool: CommunityPool;
  /** Module account that the stakers' part goes to. */
  readonly stakersAccount: string;
  /** Verifies what was signed off the chain. */
  readonly statements: StatementVerifier;
}
