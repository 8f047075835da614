import type { AddressCodec } from '../../framework/address.ts';
import type { StatementVerifier } from '../../framework/tx/statement.ts';
import type { BankTransfer } from '../bank/types.ts';
import type { RevenueRouter } from '../settlement/types.ts';

/** What channels need from the rest of the application. */
export interface ChannelPorts {
  readonly addresses: AddressCodec;
  readonly bank: BankTransfer;
  readonly statements: StatementVerifier;
  /** Without it, channels whose receiver is the router are refused. */
  readonly router: RevenueRouter | undefined;
}
