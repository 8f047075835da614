import { expect } from 'vitest';
import { moduleAddress } from '../../framework/address.ts';
import type { ErrorKind } from '../../framework/errors.ts';
import { channelId } from '../../modules/channels/format/configuration.ts';
import type { VoucherContent } from '../../modules/channels/format/voucher.ts';
import type { ChannelConfig } from '../../proto/gen/openledger/channels/v1/channels.ts';
import * as wire from '../../proto/gen/openledger/channels/v1/tx.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import type { ExecTxResult } from '../../proto/gen/tendermint/abci/types.ts';
import { responseOf } from './attribution-world.ts';
import { configOf, rowFor, type RowOptions, sessionSigner, type TestSigner } from './channels.ts';
import { anyOf, type TestAccount, TestChain, type TestChainOptions } from './test-chain.ts';

/** Gas of a message of one row. */
const GAS = 400_000n;

/** A chain with a payer, a receiver, and somebody else. */
export class ChannelWorld {
  readonly chain: TestChain;
  readonly payer: TestAccount;
  readonly receiver: TestAccount;
  readonly other: TestAccount;
  /** Signs the payer's vouchers. */
  readonly session: TestSigner;

  constructor(options: TestChainOptions = {}) {
    this.chain = new TestChain({ accounts: 4, ...options });
    this.payer = this.chain.account(0);
    this.receiver = this.chain.account(1);
    this.other = this.chain.account(2);
    this.session = sessionSigner(this.payer.address);
    this.chain.block();
  }

  /** Delivers one message; nobody pays a fee. */
  send(signer: TestAccount, message: Any, gas: bigint = GAS): ExecTxResult {
    return this.chain.deliver(this.chain.sign(signer, [message], { gas, fee: '' }));
  }

  /** Delivers one that must pass. */
  sendOk(signer: TestAccount, message: Any, gas: bigint = GAS): ExecTxResult {
    const result = this.send(signer, message, gas);
    expect(result.code, result.log).toBe(0);
    return result;
  }

  /** Delivers one that must fail so, and move nothing; its log. */
  refused(signer: TestAccount, message: Any, kind: ErrorKind): string {
    const { chain } = this;
    const accounts = chain.accounts.map(({ address }) => chain.balance(address));
    const result = this.send(signer, message);
    expect([result.codespace, result.code], result.log).toEqual([kind.codespace, kind.code]);
    expect(chain.accounts.map(({ address }) => chain.balance(address))).toEqual(accounts);
    return result.log;
  }

  /** A configuration of this payer and receiver. */
  config(change: Partial<ChannelConfig> = {}): ChannelConfig {
    return configOf({ payer: this.payer, receiver: this.receiver, now: this.chain.time }, change);
  }

  /** Opens a channel; its id. */
  open(config: ChannelConfig, deposit = 1000n): Uint8Array {
    this.sendOk(this.payer, opening(config, deposit));
    return channelId(this.chain.chainId, config);
  }

  /** A row by the payer's session key. */
  row(voucher: VoucherContent, options: Partial<RowOptions> = {}): wire.ClaimRow {
    return rowFor(voucher, { signer: this.session, ...options });
  }

  /** Rows as the receiver claims them. */
  claimOf(...rows: readonly wire.ClaimRow[]): Any {
    return anyOf(wire.MsgClaimVouchers, { claimer: this.receiver.address, rows });
  }

  /** Outcome and money of each row. */
  claim(...rows: readonly wire.ClaimRow[]): readonly (readonly [number, string])[] {
    const result = this.sendOk(this.receiver, this.claimOf(...rows), GAS * BigInt(rows.length));
    const { results } = responseOf(wire.MsgClaimVouchersResponse, result);
    return results.map(({ outcome, paid }) => [outcome, paid]);
  }

  /** What the module's account holds. */
  held(): bigint {
    return this.chain.balance(this.chain.app.composition.addresses.toText(moduleAddress('channels')));
  }

  /** A step of the payer's way out. */
  payerMessage(type: 'initiate' | 'finalize', id: Uint8Array): Any {
    const message = { payer: this.payer.address, channelId: id };
    return type === 'initiate'
      ? anyOf(wire.MsgInitiateWithdrawal, message)
      : anyOf(wire.MsgFinalizeWithdrawal, message);
  }

  /** Blocks and time until a withdrawal or a rotation of now is over. */
  waitDelay(): void {
    this.chain.skip(900);
    for (let i = 0; i < 101; i++) this.chain.block();
  }

  /** All invariants hold. */
  sound(): void {
    expect(this.chain.app.brokenInvariants()).toEqual([]);
  }
}

/** Opens a channel. */
export function opening(config: ChannelConfig, deposit: bigint): Any {
  return anyOf(wire.MsgOpenChannel, { config, deposit: `${deposit}` });
}
