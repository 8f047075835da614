import type { AddressCodec } from '../../framework/address.ts';
import type { AttributionVerifier } from '../attribution/types.ts';
import type { BankTransfer } from '../bank/types.ts';
import type { DatanetView } from '../datanet/types.ts';
import type { ModelView } from '../models/types.ts';

/** What payments needs from the rest of the application. */
export interface PaymentPorts {
  readonly addresses: AddressCodec;
  readonly bank: BankTransfer;
  readonly datanets: DatanetView;
  readonly models: ModelView;
  readonly attribution: AttributionVerifier;
  /** Module accounts that the platform's and the stakers' parts go to. */
  readonly platformAccount: string;
  readonly stakersAccount: string;
}
