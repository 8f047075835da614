import type { AddressCodec } from '../../framework/address.ts';
import type { ReadContext } from '../../framework/context.ts';
import type { SignedStatement } from '../../framework/tx/statement.ts';
import type { AttributionVerifier } from '../attribution/types.ts';
import type { BankTransfer } from '../bank/types.ts';
import type { DatanetView } from '../datanet/types.ts';
import type { CommunityPool } from '../distribution/types.ts';
import type { ModelMoney } from '../payments/types.ts';
import type { PoolPayer } from '../pools/types.ts';

/** Judges what was signed off the chain. */
export interface Signatures {
  /** Position of the first that is wrong, -1 when none is. Charges for all. */
  firstWrong(context: ReadContext, signed: readonly SignedStatement[]): number;
}

/** What settlement needs from the rest of the application. */
export interface SettlementPorts {
  readonly addresses: AddressCodec;
  readonly bank: BankTransfer;
  /** Gets the platform's parts, and what convicted gateways lose. */
  readonly communityPool: CommunityPool;
  /** Module account that the stakers' parts go to. */
  readonly stakersAccount: string;
  readonly attribution: Pick<AttributionVerifier, 'claim'>;
  readonly datanets: Pick<DatanetView, 'contribution' | 'contributionAt'>;
  readonly models: ModelMoney;
  readonly pools: Pick<PoolPayer, 'pay' | 'owed'>;
  readonly signatures: Signatures;
}
