/** The real application with a Datanet, models, a gateway that owns them, and many payers with a channel each. */
import { utf8 } from '../../../core/bytes.ts';
import { sha256 } from '../../../core/hash.ts';
import { moduleAddress } from '../../../framework/address.ts';
import { messageToJson } from '../../../framework/proto-json.ts';
import type { SignatureVerifier } from '../../../framework/tx/signature.ts';
import { channelId } from '../../../modules/channels/format/configuration.ts';
import { DEFAULT_PARAMS } from '../../../modules/settlement/params.ts';
import { settlementState } from '../../../modules/settlement/state.ts';
import { ReceiverKind } from '../../../proto/gen/openledger/channels/v1/channels.ts';
import { MsgOpenChannel } from '../../../proto/gen/openledger/channels/v1/tx.ts';
import { MsgContribute } from '../../../proto/gen/openledger/datanet/v1/tx.ts';
import { AttributionMethod, Party } from '../../../proto/gen/openledger/models/v1/models.ts';
import type { MsgRegisterModel } from '../../../proto/gen/openledger/models/v1/tx.ts';
import {
  type Epoch,
  GenesisState,
  type Round,
} from '../../../proto/gen/openledger/settlement/v1/settlement.ts';
import { MsgRegisterGateway } from '../../../proto/gen/openledger/settlement/v1/tx.ts';
import type { Any } from '../../../proto/gen/google/protobuf/any.ts';
import { configOf, type TestSigner } from '../../support/channels.ts';
import { createDatanet, publishSnapshot, registerModel } from '../../support/economic-loop.ts';
import { anyOf, type TestAccount, TestChain } from '../../support/test-chain.ts';
import { payerSigner, receiptSigner } from './payments.ts';

/** What a transaction may burn: there is no limit for a block in the default parameters of consensus. */
export const SCALE_GAS = 1_000_000_000n;
/** Who contributes. */
export const CONTRIBUTORS = 5;
const GATEWAY = 0;
const CURATOR = 1;
const FIRST_CONTRIBUTOR = 2;
const FIRST_PAYER = FIRST_CONTRIBUTOR + CONTRIBUTORS;
/** Of each channel; a payer has twice as much. */
export const DEPOSIT: bigint = 10n ** 15n;
const MESSAGES_OF_TX = 50;
const TXS_OF_BLOCK = 100;
/** Blocks after which weights of contributions count, by the default parameters of pools. */
const POOL_EPOCH = 11;

const STATE = settlementState();

/** One payer's channel to the gateway, through the router. */
export interface ScaleChannel {
  readonly id: Uint8Array;
  readonly signer: TestSigner;
}

/** How large the world is. */
export interface ScaleSize {
  readonly channels: number;
  readonly contributions: number;
  readonly windowBlocks: number;
}

/** See the file comment. Nobody pays fees, so that every unit that moves is of inferences. */
export class ScaleWorld {
  readonly chain: TestChain;
  readonly gateway: TestAccount;
  readonly contributors: readonly TestAccount[];
  readonly payers: readonly TestAccount[];

  readonly channels: readonly ScaleChannel[];
  /** Transactions of what has to be there before the first inference, channels first. */
  readonly setUp: { channels: number; channelBytes: number; channelGas: bigint; others: number } = {
    channels: 0,
    channelBytes: 0,
    channelGas: 0n,
    others: 0,
  };

  constructor({ channels, contributions, windowBlocks }: ScaleSize, verifier: SignatureVerifier) {
    const settlement = GenesisState.create({ params: { ...DEFAULT_PARAMS, windowBlocks } });
    this.chain = new TestChain({
      accounts: FIRST_PAYER + channels,
      coins: `${2n * DEPOSIT}uopen`,
      genesis: { sections: { settlement: messageToJson(GenesisState, settlement) } },
      app: { verifier },
    });
    this.gateway = this.chain.account(GATEWAY);
    this.contributors = this.chain.accounts.slice(FIRST_CONTRIBUTOR, FIRST_PAYER);
    this.payers = this.chain.accounts.slice(FIRST_PAYER);
    this.#contribute(contributions);
    this.#offer();
    this.channels = this.#open();
  }

  /** Signs and delivers one transaction without a fee, in a block of its own; it must pass. */
  deliverOk(signer: TestAccount, ...messages: readonly Any[]): void {
    this.blockOk([this.sign(signer, messages)]);
  }

  sign(signer: TestAccount, messages: readonly Any[], also: readonly TestAccount[] = []): Uint8Array {
    return this.chain.sign(signer, messages, { gas: SCALE_GAS, fee: '', also });
  }

  /** Executes a block of transactions that must all pass. */
  blockOk(txs: readonly Uint8Array[]): readonly bigint[] {
    return this.chain.block(...txs).txResults.map(({ code, codespace, log, gasUsed }) => {
      if (code !== 0) throw new Error(`${codespace} ${code}: ${log}`);
      return gasUsed;
    });
  }

  /** The first round that no epoch states. */
  waiting(): Round {
    const context = this.chain.app.contextAt(this.chain.app.height);
    for (const [, round] of STATE.rounds.iterate(context)) if (round.epochId === 0n) return round;
    throw new RangeError('no round waits');
  }

  /** All epochs that the chain has. */
  epochs(): readonly Epoch[] {
    const context = this.chain.app.contextAt(this.chain.app.height);
    return [...STATE.epochs.iterate(context)].map(([, epoch]) => epoch);
  }

  /** Of a module's account. */
  moduleBalance(name: string): bigint {
    return this.chain.balance(this.chain.app.composition.addresses.toText(moduleAddress(name)));
  }

  #contribute(count: number): void {
    const { chain } = this;
    const curator = chain.account(CURATOR);
    this.deliverOk(curator, createDatanet(curator));
    const contributions = Array.from({ length: count }, (_, i): Any => {
      const { address } = this.#contributorOf(i);
      const root = sha256(utf8(`contribution ${i}`));
      const [byteLength, tokenCount] = [BigInt(1_000 + (i % 3_000)), 150n];
      const message = { contributor: address, datanetId: 1n, root, byteLength, tokenCount };
      return anyOf(MsgContribute, MsgContribute.create(message));
    });
    for (let first = 0; first < count; first += MESSAGES_OF_TX * CONTRIBUTORS) {
      const part = contributions.slice(first, first + MESSAGES_OF_TX * CONTRIBUTORS);
      const txs = this.contributors.flatMap((contributor, i) => {
        const own = part.filter((_, k) => (first + k) % CONTRIBUTORS === i);
        return own.length === 0 ? [] : [this.sign(contributor, own)];
      });
      this.setUp.others += txs.length;
      this.blockOk(txs);
    }
    this.deliverOk(curator, publishSnapshot(curator));
    for (let i = 0; i < POOL_EPOCH; i++) chain.block();
    this.setUp.others += 2;
  }

  /** Whose a contribution is. */
  #contributorOf(i: number): TestAccount {
    return this.chain.account(FIRST_CONTRIBUTOR + (i % CONTRIBUTORS));
  }

  /** Three models: one, one that was made of it, one with another split; and the gateway. */
  #offer(): void {
    const policy = { tokenBps: 0, influenceBps: 0, retrievalBps: 10_000, bondedClaimsOnly: false };
    const model = (change: Partial<MsgRegisterModel>): Any =>
      registerModel(this.gateway, {
        attributionMethod: AttributionMethod.ATTRIBUTION_METHOD_POLICY,
        attributionPolicy: policy,
        ...change,
      });
    const price = { denom: 'uopen', inPer1000: '310', outPer1000: '907', perCall: '53' };
    const split = {
      platformBps: 777,
      modelBps: 2_501,
      stakersBps: 1_233,
      contributorsBps: 5_489,
      residual: Party.PARTY_MODEL,
    };
    this.deliverOk(this.gateway, model({ royaltyBps: 1_500 }));
    this.deliverOk(this.gateway, model({ parentIds: [1n], price }));
    this.deliverOk(this.gateway, model({ price, split }));
    const receiptKey = receiptSigner().key.key;
    const endpoint = 'https://gateway.example';
    const registration = { gateway: this.gateway.address, receiptKey, endpoint };
    this.deliverOk(this.gateway, anyOf(MsgRegisterGateway, registration));
    this.setUp.others += 4;
  }

  #open(): readonly ScaleChannel[] {
    const opened = this.payers.map((payer, number) => {
      const signer = payerSigner(number);
      const parties = { payer, receiver: this.gateway, now: this.chain.time };
      const config = configOf(parties, {
        receiverKind: ReceiverKind.RECEIVER_KIND_ROUTER,
        payerAuthorizer: signer.key,
      });
      const tx = this.sign(payer, [anyOf(MsgOpenChannel, { config, deposit: `${DEPOSIT}` })]);
      this.setUp.channels++;
      this.setUp.channelBytes += tx.length;
      return { tx, id: channelId(this.chain.chainId, config), signer };
    });
    for (let first = 0; first < opened.length; first += TXS_OF_BLOCK)
      for (const gas of this.blockOk(opened.slice(first, first + TXS_OF_BLOCK).map(({ tx }) => tx)))
        this.setUp.channelGas += gas;
    return opened.map(({ id, signer }) => ({ id, signer }));
  }
}
