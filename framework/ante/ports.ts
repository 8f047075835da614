import type { Address } from '../address.ts';
import type { Coin, Coins } from '../coins.ts';
import type { Context, ReadContext, Timestamp } from '../context.ts';
import type { PublicKey } from '../tx/public-key.ts';

/** What the ante chain sees of an account. */
export interface SignerAccount {
  readonly address: Address;
  /** Undefined until the first transaction brings it. */
  readonly pubKey: PublicKey | undefined;
  readonly accountNumber: bigint;
  readonly sequence: bigint;
}

/** Limits and prices of transactions: the parameters of auth, in gas units. */
export interface AnteParams {
  readonly maxMemoCharacters: number;
  readonly txSigLimit: number;
  readonly txSizeCostPerByte: number;
  readonly sigVerifyCostEd25519: number;
  readonly sigVerifyCostSecp256k1: number;
}

/** Accounts, as the ante chain uses them: implemented by auth. */
export interface AnteAccounts {
  params(context: ReadContext): AnteParams;
  find(context: ReadContext, address: Address): SignerAccount | undefined;
  /**
   * Stores the key and sequence of an account that `find` gave as `before`; `after` has everything else of
   * it, whatever that is.
   */
  update(context: Context, before: SignerAccount, after: SignerAccount): void;
  /**
   * Remembers that the address signed an unordered transaction with this timeout, until it has passed.
   * @returns false when it is remembered already
   */
  useTimeout(context: Context, address: Address, timeout: Timestamp): boolean;
}

/** Fees, as the ante chain uses them: implemented by bank. */
export interface AnteFees {
  /** Moves a fee to the fee collector. @throws StateError when the payer has too little */
  collectFee(context: Context, payer: Address, fee: Coins): void;
}

/** Someone's fee, to be paid by someone else. */
export interface GrantedFee {
  readonly granter: Address;
  readonly grantee: Address;
  /** As the transaction offers it: not yet checked for order and sign. */
  readonly fee: readonly Coin[];
  /** Type URLs of the transaction's messages, in order. */
  readonly messages: readonly string[];
}

/** Allowances to pay someone else's fees: implemented by feegrant. */
export interface AnteFeeGrants {
  /** Takes the fee from what is allowed. @throws StateError when there is no such allowance */
  useGrantedFees(context: Context, grant: GrantedFee): void;
}
