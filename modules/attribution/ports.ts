import type { AddressCodec } from '../../framework/address.ts';
import type { BankTransfer } from '../bank/types.ts';
import type { DatanetView } from '../datanet/types.ts';
import type { CommunityPool } from '../distribution/types.ts';
import type { ModelView } from '../models/types.ts';

/** What attribution needs from the rest of the application. */
export interface AttributionPorts {
  readonly addresses: AddressCodec;
  readonly datanets: DatanetView;
  readonly models: ModelView;
  readonly bank: BankTransfer;
  readonly communityPool: CommunityPool;
}
