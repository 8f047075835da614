import { expect } from 'vitest';
import { moduleAddress } from '../../framework/address.ts';
import type { ErrorKind } from '../../framework/errors.ts';
import { messageToJson } from '../../framework/proto-json.ts';
import type { PublishedEpoch } from '../../gateway/epochs/published.ts';
import { channelId } from '../../modules/channels/format/configuration.ts';
import { DEFAULT_PARAMS } from '../../modules/settlement/params.ts';
import type { EpochChain } from '../../modules/settlement/proof/chain.ts';
import type { Receipt } from '../../modules/settlement/proof/leaves.ts';
import { settlementState } from '../../modules/settlement/state.ts';
import { type ChannelConfig, ReceiverKind } from '../../proto/gen/openledger/channels/v1/channels.ts';
import { AttributionMethod } from '../../proto/gen/openledger/models/v1/models.ts';
import * as channels from '../../proto/gen/openledger/channels/v1/tx.ts';
import {
  type Epoch,
  GenesisState,
  type Params,
  type Round,
} from '../../proto/gen/openledger/settlement/v1/settlement.ts';
import * as wire from '../../proto/gen/openledger/settlement/v1/tx.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import type { ExecTxResult } from '../../proto/gen/tendermint/abci/types.ts';
import { configOf, rowFor, sessionSigner, voucherFor } from './channels.ts';
import { type Loop, LOOP_GAS, playLoop, registerModel, SHORT_EPOCHS } from './economic-loop.ts';
import { epochOfReceipts, lanesOf, type Served, tiling, watchedChain } from './epochs.ts';
import { anyOf, type TestAccount, TestChain, type TestChainOptions } from './test-chain.ts';

/** Blocks in which these epochs can be disputed. */
export const WINDOW = 4;
/** Bond of these epochs. */
export const BOND = 1_001n;

const STATE = settlementState();
const ENDPOINT = 'https://gateway.example';

const newTestChain = (options: TestChainOptions): TestChain => new TestChain(options);

/** A MsgRegisterModel of one of which a fifth of the weight is the owner's to state. */
export function registerRetrieval(owner: TestAccount): Any {
  return registerModel(owner, {
    attributionMethod: AttributionMethod.ATTRIBUTION_METHOD_POLICY,
    attributionPolicy: { tokenBps: 8_000, influenceBps: 0, retrievalBps: 2_000, bondedClaimsOnly: false },
  });
}

/** The economic loop, and a channel from its payer to a gateway that has a model at 1,000 a call. */
export class SettlementWorld {
  readonly loop: Loop;
  readonly chain: TestChain;
  readonly gateway: TestAccount;
  readonly watcher: TestAccount;
  readonly config: ChannelConfig;
  readonly channel: Uint8Array;

  constructor(
    params: Partial<Params> = {},
    makeChain: (options: TestChainOptions) => TestChain = newTestChain,
  ) {
    const settlement = GenesisState.create({
      params: { ...DEFAULT_PARAMS, windowBlocks: WINDOW, epochBond: BOND, gasPerRow: 1_000, ...params },
    });
    const sections = { ...SHORT_EPOCHS, settlement: messageToJson(GenesisState, settlement) };
    this.chain = makeChain({ accounts: 7, genesis: { sections } });
    this.loop = playLoop(this.chain);
    const { chain } = this;
    this.gateway = chain.account(5);
    this.watcher = chain.account(6);
    this.config = this.configTo(ReceiverKind.RECEIVER_KIND_ROUTER);
    this.channel = this.open(this.config);
  }

  /** A channel of the payer to the gateway. */
  configTo(receiverKind: ReceiverKind, change: Partial<ChannelConfig> = {}): ChannelConfig {
    const parties = { payer: this.loop.payer, receiver: this.gateway, now: this.chain.time };
    return configOf(parties, { receiverKind, ...change });
  }

  /** Opens it with a million; its id. */
  open(config: ChannelConfig): Uint8Array {
    this.sendOk(this.loop.payer, anyOf(channels.MsgOpenChannel, { config, deposit: '1000000' }));
    return channelId(this.chain.chainId, config);
  }

  /** Delivers a message, or several in one transaction; nobody pays a fee. */
  send(signer: TestAccount, message: Any | readonly Any[], gas: bigint = LOOP_GAS): ExecTxResult {
    const messages = 'typeUrl' in message ? [message] : message;
    return this.chain.deliver(this.chain.sign(signer, messages, { gas, fee: '' }));
  }

  /** Delivers what must pass. */
  sendOk(signer: TestAccount, message: Any | readonly Any[], gas: bigint = LOOP_GAS): ExecTxResult {
    const result = this.send(signer, message, gas);
    expect(result.code, result.log).toBe(0);
    return result;
  }

  /** Delivers one that must fail so; its log. */
  refused(signer: TestAccount, message: Any, kind: ErrorKind): string {
    const result = this.send(signer, message);
    expect([result.codespace, result.code], result.log).toEqual([kind.codespace, kind.code]);
    return result.log;
  }

  /** Claims what lanes were charged in all. */
  claim(...totals: readonly (readonly [lane: number, total: bigint])[]): ExecTxResult {
    return this.sendOk(this.gateway, this.claiming(...totals), LOOP_GAS + 20_000n * BigInt(totals.length));
  }

  /** A MsgClaimVouchers. */
  claiming(...totals: readonly (readonly [lane: number, total: bigint])[]): Any {
    const signer = sessionSigner(this.loop.payer.address);
    const rows = totals.map(([lane, cumulative]) =>
      rowFor(voucherFor(this.channel, { lane, cumulative, ceiling: 0n }), { signer }),
    );
    return anyOf(channels.MsgClaimVouchers, { claimer: this.gateway.address, rows });
  }

  /** A MsgRegisterGateway. */
  registration(change: Partial<wire.MsgRegisterGateway> = {}): Any {
    const receiptKey = sessionSigner('receipts').key.key;
    const message = { gateway: this.gateway.address, receiptKey, endpoint: ENDPOINT, ...change };
    return anyOf(wire.MsgRegisterGateway, message);
  }

  /** Makes the gateway one. */
  register(): void {
    this.sendOk(this.gateway, this.registration());
  }

  round(id = 1n): Round | undefined {
    return STATE.rounds.get(this.chain.app.contextAt(this.chain.app.height), id);
  }

  /** The first round that no epoch states. */
  waiting(): Round {
    const context = this.chain.app.contextAt(this.chain.app.height);
    for (const [, round] of STATE.rounds.iterate(context)) if (round.epochId === 0n) return round;
    throw new RangeError('no round waits');
  }

  epoch(id = 1n): Epoch | undefined {
    return STATE.epochs.get(this.chain.app.contextAt(this.chain.app.height), id);
  }

  /** What a watcher holds a round against. */
  watched(round: Round = this.waiting()): EpochChain {
    return watchedChain(this.chain.app.composition, this.chain.app.contextAt(this.chain.app.height), round);
  }

  /** Receipts of the round that waits: calls of model 1, as long as the money is enough. */
  receipts(served: Served = { modelId: 1n, tokensIn: 500, tokensOut: 700 }): readonly Receipt[] {
    const round = this.waiting();
    const lanes = lanesOf(this.chain.app.contextAt(this.chain.app.height), round.id);
    return tiling(lanes, this.watched(round), () => served);
  }

  /** An epoch of receipts; default: the honest ones. */
  published(receipts: readonly Receipt[] = this.receipts(), rowsMax: number = 100): PublishedEpoch {
    return epochOfReceipts(receipts, this.watched(), rowsMax);
  }

  /** A MsgSettleEpoch. */
  settlement({ commitment }: PublishedEpoch, change: Partial<wire.MsgSettleEpoch> = {}): Any {
    return anyOf(wire.MsgSettleEpoch, {
      gateway: this.gateway.address,
      roundId: change.roundId ?? this.waiting().id,
      commitment,
      bond: { denom: 'uopen', amount: `${BOND}` },
      ...change,
    });
  }

  settle(epoch: PublishedEpoch): void {
    this.sendOk(this.gateway, this.settlement(epoch));
  }

  /** Blocks until a window that opened with the last block is over. */
  waitWindow(blocks: number = WINDOW): void {
    for (let i = 0; i < blocks; i++) this.chain.block();
  }

  /** Of a module's account. */
  moduleBalance(name: string): bigint {
    return this.chain.balance(this.chain.app.composition.addresses.toText(moduleAddress(name)));
  }

  /** All invariants hold. */
  sound(): void {
    expect(this.chain.app.brokenInvariants()).toEqual([]);
  }
}
