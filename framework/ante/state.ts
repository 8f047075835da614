import { equalBytes } from '../../core/bytes.ts';
import type { Address, AddressCodec } from '../address.ts';
import type { Context } from '../context.ts';
import { StateError, sdkErrors } from '../errors.ts';
import type { FeeChecker } from '../gas-price.ts';
import type { DecodedTx } from '../tx/decode.ts';
import type { SignatureVerifier } from '../tx/signature.ts';
import type { AnteAccounts, AnteFeeGrants, AnteFees, AnteParams, SignerAccount } from './ports.ts';

/** Everything the ante chain needs from the rest of the application. */
export interface AntePorts {
  readonly accounts: AnteAccounts;
  readonly fees: AnteFees;
  /** Undefined: `fee.granter` is refused. */
  readonly feeGrants: AnteFeeGrants | undefined;
  readonly addresses: AddressCodec;
  readonly verifier: SignatureVerifier;
  /** What a transaction pays. */
  readonly checkFee: FeeChecker;
}

/** One transaction on its way through the ante chain. Accounts are read once and kept here as they change. */
export class AnteState {
  readonly context: Context;
  readonly tx: DecodedTx;
  readonly ports: AntePorts;
  readonly params: AnteParams;
  readonly #slots: (Slot | undefined)[] = [];

  constructor(context: Context, tx: DecodedTx, ports: AntePorts) {
    this.context = context;
    this.tx = tx;
    this.ports = ports;
    this.params = ports.accounts.params(context);
  }

  get simulate(): boolean {
    return this.context.mode === 'simulate';
  }

  /**
   * The account of the i-th required signer, as the steps so far have changed it.
   * @throws StateError (sdk 9) when there is none
   */
  account(i: number): SignerAccount {
    return this.#slot(i).now;
  }

  /** Changes the account of the i-th required signer; `save` stores it. */
  change(i: number, account: SignerAccount): void {
    this.#slot(i).now = account;
  }

  /** True when `change` changed the account of the i-th required signer. */
  isChanged(i: number): boolean {
    const { before, now } = this.#slot(i);
    return before !== now;
  }

  /** Stores the account of the i-th required signer. */
  save(i: number): void {
    const { before, now } = this.#slot(i);
    this.ports.accounts.update(this.context, before, now);
  }

  /** True when there is an account at the address. */
  exists(address: Address): boolean {
    const [first] = this.tx.required;
    if (first === undefined || !equalBytes(first, address))
      return this.ports.accounts.find(this.context, address) !== undefined;
    this.#slots[0] ??= this.#open(address);
    return this.#slots[0] !== undefined;
  }

  #slot(i: number): Slot {
    const known = this.#slots[i];
    if (known !== undefined) return known;
    const address = this.signer(i);
    const slot = this.#open(address);
    if (slot === undefined)
      throw new StateError(
        sdkErrors.unknownAddress,
        `account ${this.ports.addresses.toText(address)} does not exist`,
      );
    this.#slots[i] = slot;
    return slot;
  }

  #open(address: Address): Slot | undefined {
    const before = this.ports.accounts.find(this.context, address);
    return before === undefined ? undefined : { before, now: before };
  }

  /** The address of the i-th required signer. */
  signer(i: number): Address {
    const address = this.tx.required[i];
    if (address === undefined) throw wrongSignerCount(this.tx);
    return address;
  }
}

/** An account as it was read and as it is now. */
interface Slot {
  readonly before: SignerAccount;
  now: SignerAccount;
}

/**
 * As many signatures and `signer_infos` as signers are wanted, in the same order. Begins as the SDK's error, which
 * compares what is wanted with what came of the one that differs.
 */
export function wrongSignerCount({ required, signers, signatureCount }: DecodedTx): StateError {
  const wanted = required.length;
  const [got, what] =
    signatureCount === wanted ? [signers.length, 'signer_infos'] : [signatureCount, 'signatures'];
  return new StateError(
    sdkErrors.unauthorized,
    `invalid number of signer;  expected: ${wanted}, got ${got}: the messages want ${wanted} signers, ` +
      `and the transaction has ${got} ${what}`,
  );
}
