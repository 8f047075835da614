import type { Address, AddressCodec } from '../../framework/address.ts';
import type { Coin } from '../../framework/coins.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import type { SignedStatement } from '../../framework/tx/statement.ts';
import type { AttributionVerifier } from '../attribution/types.ts';
import type { BankTransfer } from '../bank/types.ts';
import type { DatanetView } from '../datanet/types.ts';
import type { CommunityPool } from '../distribution/types.ts';
import type { ModelTerms } from './proof/chain.ts';

/** What inferences cost, and where a model's part goes. */
export interface ModelMoney {
  /** Undefined when there is no such model. @param of.gateway whose statements of attribution are looked at */
  terms(
    context: ReadContext,
    of: { readonly modelId: bigint; readonly gateway: string },
  ): ModelTerms | undefined;
  /** To the model's owner and lineage. */
  payModel(
    context: Context,
    payment: { readonly from: Address; readonly modelId: bigint; readonly coin: Coin },
  ): void;
}

/** Takes money for whoever contributed to a Datanet. */
export interface DatanetMoney {
  /** @param payment.position of its log; undefined: all of it */
  payDatanet(
    context: Context,
    payment: {
      readonly from: Address;
      readonly datanetId: bigint;
      readonly position: bigint | undefined;
      readonly coin: Coin;
    },
  ): void;
}

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
  readonly datanets: Pick<DatanetView, 'datanet' | 'contribution' | 'contributionAt'>;
  readonly models: ModelMoney;
  readonly pools: DatanetMoney;
  readonly signatures: Signatures;
}
