/**
 * A gateway with the real library on a whole chain, whose power goes at any write: to its disks, its files or
 * the chain. What it has not been told of is lost, torn or there.
 */
import { callFree } from './call-free.ts';
import { setImmediate as turn } from 'node:timers/promises';
import { toHex, utf8 } from '../../core/bytes.ts';
import { defined, LedgerError } from '../../core/errors.ts';
import { sha256 } from '../../core/hash.ts';
import { Journal, type JournalDisk } from '../../client/vouchers/journal.ts';
import { Payee } from '../../client/vouchers/payee.ts';
import { Payer } from '../../client/vouchers/payer.ts';
import type { EpochBuilder } from '../../gateway/epochs/build-aside.ts';
import { InferenceDesk, type Outcome } from '../../gateway/serve/desk.ts';
import { recoverCharges } from '../../gateway/serve/recover.ts';
import { type GivenPiece, StreamDesk, type StreamEnding } from '../../gateway/serve/stream-desk.ts';
import { KeptEpochs } from '../../gateway/serve/kept-epochs.ts';
import type {
  EpochFiles,
  GatewayLogger,
  Inference,
  SettlementChain,
  StreamedPart,
  StreamingInference,
} from '../../gateway/serve/ports.ts';
import { ReceiptLog } from '../../gateway/serve/receipt-log.ts';
import { Settler, type SettlerOptions } from '../../gateway/serve/settler.ts';
import type { FinalClaim, ModelTerms } from '../../modules/settlement/proof/chain.ts';
import { ed25519Signer } from '../../node/crypto/ed25519.ts';
import * as channels from '../../proto/gen/openledger/channels/v1/query.ts';
import { MsgClaimVouchers } from '../../proto/gen/openledger/channels/v1/tx.ts';
import {
  QueryParamsRequest,
  QueryParamsResponse,
  QueryRequestsRequest,
  QueryRequestsResponse,
} from '../../proto/gen/openledger/settlement/v1/query.ts';
import {
  MsgServeEpochPiece,
  MsgSettleEpoch,
  MsgSettleEpochResponse,
} from '../../proto/gen/openledger/settlement/v1/tx.ts';
import type { Params } from '../../proto/gen/openledger/settlement/v1/settlement.ts';
import { librarySigner, verifyNatively } from '../channels/parties.ts';
import type { Timers } from '../../watch/asking.ts';
import { Random } from '../operations/random.ts';
import { responseOf } from './attribution-world.ts';
import { sessionSigner } from './channels.ts';
import { LOOP_GAS } from './economic-loop.ts';
import { lanesOf } from './epochs.ts';
import { BOND, SettlementWorld } from './settlement-world.ts';
import { anyOf } from './test-chain.ts';

/** Power went. */
export class PowerCut extends Error {}

/** Goes at the so many-th write from now. */
export class Power {
  #left = Number.POSITIVE_INFINITY;
  #isOff = false;
  /** Writes so far. */
  writes = 0;

  /** Comes back, to go again at the so many-th write, or never. */
  on(left: number = Number.POSITIVE_INFINITY): void {
    this.#left = left;
    this.#isOff = false;
  }

  get isOff(): boolean {
    return this.#isOff;
  }

  /** @throws PowerCut from the moment on */
  use(): void {
    this.writes++;
    if (--this.#left <= 0) this.#isOff = true;
    if (this.#isOff) throw new PowerCut('power went');
  }
}

/** A disk that loses what was not synced: all of it, none, or torn at any byte, with a byte changed. */
export class PoweredDisk implements JournalDisk {
  #durable: Uint8Array = new Uint8Array(0);
  #waiting: Uint8Array = new Uint8Array(0);
  readonly #power: Power;
  readonly #random: Random;
  /** What comes while it writes waits, and is written together. */
  isSlow = false;

  constructor(power: Power, random: Random) {
    this.#power = power;
    this.#random = random;
  }

  /** What a process that comes back finds. */
  restart(): void {
    const kept = this.#waiting.slice(0, this.#random.below(this.#waiting.length + 1));
    if (kept.length > 0 && this.#random.oneIn(3)) kept[this.#random.below(kept.length)] = 7;
    this.#durable = Buffer.concat([this.#durable, kept]);
    this.#waiting = new Uint8Array(0);
  }

  get bytes(): number {
    return this.#durable.length;
  }

  async read(): Promise<Uint8Array> {
    return Uint8Array.from(this.#durable);
  }

  async append(bytes: Uint8Array): Promise<void> {
    if (this.isSlow) await turn();
    this.#waiting = Buffer.concat([this.#waiting, bytes]);
    this.#power.use();
  }

  async sync(): Promise<void> {
    if (this.#random.oneIn(2)) this.#power.use();
    this.#durable = Buffer.concat([this.#durable, this.#waiting]);
    this.#waiting = new Uint8Array(0);
    this.#power.use();
  }

  async replace(bytes: Uint8Array): Promise<void> {
    if (this.isSlow) await turn();
    if (this.#random.oneIn(2)) this.#power.use();
    this.#durable = Uint8Array.from(bytes);
    this.#waiting = new Uint8Array(0);
    this.#power.use();
  }

  async close(): Promise<void> {}
}

/** Which journals and files a gateway has. */
interface Disks {
  readonly vouchers: PoweredDisk;
  readonly receipts: PoweredDisk;
  readonly rounds: PoweredDisk;
  readonly files: Map<string, Uint8Array>;
}

/** A gateway's process. */
export interface GatewayProcess {
  readonly payee: Payee;
  readonly receipts: ReceiptLog;
  readonly epochs: KeptEpochs;
  readonly desk: InferenceDesk;
  readonly streams: StreamDesk;
  readonly settler: Settler;
}

type OwnSettlerOptions = Pick<SettlerOptions, 'claimMin' | 'settleMin' | 'stateUncovered'>;

/** What may be other than it is by default. */
interface ProcessOptions extends Partial<OwnSettlerOptions> {
  readonly builder?: Pick<EpochBuilder, 'build'>;
}

/** Tells the limit of a stream's time from that of patience. */
const STREAM_MS = 60_000;

const RECEIPTS_KEY = ed25519Signer(sha256(utf8('session receipts')));

/** A stream as its payer saw it. */
export interface BoughtStream {
  readonly opened: Outcome | { readonly kind: 'stream' };
  readonly given: readonly GivenPiece[];
  /** Undefined when it was not opened. */
  readonly ending: StreamEnding | undefined;
}

function* partsOf(prompt: string, inference: number): Generator<StreamedPart> {
  for (let i = 0; i < 5; i++) yield { kind: 'piece', text: `${prompt} ${inference}.${i} `, tokens: 10 };
  yield { kind: 'end', tokens: 50, claimId: 0n };
}

/** See the file comment. */
export class GatewayWorld {
  readonly world: SettlementWorld;
  readonly power: Power = new Power();
  readonly disks: Disks;
  readonly payer: Payer;
  /** Sentences of warnings and errors. */
  readonly alarms: string[] = [];
  /** Transactions that it sent, or wanted to: what they do. */
  readonly sent: ('answers' | 'claims' | 'epoch')[] = [];
  /** What the chain takes no transactions of. */
  readonly refused: Set<GatewayWorld['sent'][number]> = new Set();
  /** Tokens of every answer. */
  answerTokens = 50;
  /** Answers that a model was asked for. */
  inferences = 0;
  /** A claim that the chain would let receipts rest on. */
  claim: FinalClaim | undefined;
  /** Of every answer; else that which the claim is about, or what the answer is. */
  answerRoot: Uint8Array | undefined;
  /** What a model says of a stream, by the number of the inference: five pieces of ten tokens. */
  parts: (prompt: string, inference: number) => Iterable<StreamedPart> = partsOf;
  /** False: whoever has not paid when he is waited for does not pay. */
  isPatient = false;
  /** Of models: the request itself costs nothing, tokens of the answer cost what they cost. */
  isCallFree = false;
  /** Where calls cost nothing: so many tokens of an answer cost nothing either. */
  freeTokens = 0;
  /** Of streams that are being given. */
  readonly #timeLimits = new Set<() => void>();

  private constructor(world: SettlementWorld, payer: Payer, random: Random) {
    this.world = world;
    this.payer = payer;
    const disk = (): PoweredDisk => new PoweredDisk(this.power, random);
    this.disks = { vouchers: disk(), receipts: disk(), rounds: disk(), files: new Map() };
  }

  static async start(seed = 1, params: Partial<Params> = {}): Promise<GatewayWorld> {
    const world = new SettlementWorld(params);
    world.register();
    const random = new Random(seed);
    const session = sessionSigner(world.loop.payer.address);
    const payerDisk = new PoweredDisk(new Power(), random);
    const payer = new Payer(
      { journal: await Journal.open(payerDisk), verify: verifyNatively, randomSeed: () => random.bytes(32) },
      {
        id: world.channel,
        domain: { chainId: world.chain.chainId, denom: 'uopen', prefix: 'open' },
        signer: librarySigner(session),
        keys: [session.key],
        deposited: 1_000_000n,
        lanes: 4,
      },
    );
    return new GatewayWorld(world, payer, random);
  }

  /** A process on what the disks hold. */
  async process({ builder, ...settling }: ProcessOptions = {}): Promise<GatewayProcess> {
    const { world, disks } = this;
    for (const disk of [disks.vouchers, disks.receipts, disks.rounds]) disk.restart();
    const { chainId } = world.chain;
    const policy = {
      chainId,
      prefix: 'open',
      unclaimedMax: 1_000_000n,
      mirrorAgeMax: 1_000,
      receipted: true,
    };
    const payee = new Payee(
      { journal: await Journal.open(disks.vouchers), verify: verifyNatively, now: () => 0 },
      policy,
    );
    const receipts = await ReceiptLog.open(disks.receipts);
    const chain = this.#chain();
    const terms = async (modelId: bigint) => this.#termsOf(await chain.terms(modelId));
    const prices = { terms, claim: async () => this.claim };
    const journal = await Journal.open(disks.rounds);
    const epochs = new KeptEpochs({ files: this.#files(), journal, prices, ...(builder && { builder }) });
    const logger = this.#logger();
    const ports = { payee, receipts, prices, signer: RECEIPTS_KEY, logger };
    const options = {
      ...{ chainId, gateway: world.gateway.address, denom: 'uopen', models: [1n] },
      ...{ promptBytesMax: 1_000, answerBytesMax: 1_000, requestsMax: 8 },
    };
    const tokensAhead = 10;
    const desk = new InferenceDesk({ ...ports, inference: this.#inference() }, options);
    const streams = new StreamDesk(
      { ...ports, inference: this.#streaming(), timers: this.#timers() },
      { ...options, tokensAhead, patienceMs: 1, streamMs: STREAM_MS },
    );
    await recoverCharges({ payee, receipts }, { tokensAhead });
    const settler = new Settler(
      { chain, payee, receipts, epochs, logger },
      { claimRowsMax: 2, claimMin: 1n, settleMin: 1n, stateUncovered: false, ...settling },
    );
    return { payee, receipts, epochs, desk, streams, settler };
  }

  /** Buys an answer on a lane, by the voucher that is pending there or a new one. */
  async buy(desk: InferenceDesk, lane: number, prompt: string): Promise<Outcome> {
    const request = { modelId: 1n, prompt: utf8(prompt), tokensOutMax: 100 };
    const resource = sha256(request.prompt);
    const pending = this.payer.pending().find(({ voucher }) => voucher.lane === lane);
    const voucher = pending ?? (await this.payer.sign(lane, { resource, ceiling: 1_500n }));
    const outcome = await desk.answer({ ...request, resource, voucher });
    if (outcome.kind === 'answered') await this.payer.answered(voucher, outcome.charged);
    return outcome;
  }

  /**
   * Buys a stream on a lane, by the voucher that is pending there or a new one: what may be spent is the fee
   * a hundred tokens, by default 1,001 of it up front and the rest in links of 2.
   * @param isPaid whether the payer pays for a piece
   * @param onPaid called when that is on the gateway's disk
   */
  async buyStream(
    streams: StreamDesk,
    lane: number,
    {
      prompt,
      isPaid = () => true,
      onPaid = () => undefined,
      stream = { unit: 2n, links: 15 },
    }: {
      readonly prompt: string;
      readonly isPaid?: (piece: GivenPiece) => boolean | Promise<boolean>;
      readonly onPaid?: (piece: GivenPiece) => void;
      readonly stream?: { readonly unit: bigint; readonly links: number };
    },
  ): Promise<BoughtStream> {
    const request = { modelId: 1n, prompt: utf8(prompt), tokensOutMax: 100 };
    const resource = sha256(request.prompt);
    const pending = this.payer.pending().find(({ voucher }) => voucher.lane === lane);
    const voucher = pending ?? (await this.payer.sign(lane, { resource, ceiling: 1_031n, stream }));
    const opened = await streams.open({ ...request, resource, voucher });
    const given: GivenPiece[] = [];
    if (opened.kind !== 'stream') {
      if (opened.kind === 'answered') await this.payer.answered(voucher, opened.charged);
      return { opened, given, ending: undefined };
    }
    const give = async (piece: GivenPiece): Promise<void> => {
      given.push(piece);
      const link = (await isPaid(piece)) ? this.payer.linkFor(lane, piece.due) : undefined;
      if (link === undefined) return;
      const outcome = await streams.pay(this.world.channel, lane, link);
      if (outcome.kind === 'paid') onPaid(piece);
    };
    const ending = await opened.run(give, new AbortController().signal);
    if (ending.paid !== undefined) await this.payer.answered(voucher, ending.paid.charged);
    return { opened, given, ending };
  }

  /** The time of all streams that are being given is over. */
  timeOver(): void {
    for (const call of [...this.#timeLimits]) call();
  }

  /** Of settlement. */
  params(): Params {
    const types = { request: QueryParamsRequest, response: QueryParamsResponse };
    return this.world.chain.query(`${SETTLEMENT}/Params`, types, {}).params;
  }

  #termsOf(terms: ModelTerms | undefined): ModelTerms | undefined {
    return terms === undefined || !this.isCallFree ? terms : callFree(terms, this.freeTokens);
  }

  #logger(): GatewayLogger {
    const alarm = (_: unknown, message: string): void => void this.alarms.push(message);
    return { info: () => undefined, warn: alarm, error: alarm };
  }

  #files(): EpochFiles {
    const { files } = this.disks;
    return {
      write: async (name, bytes) => {
        this.power.use();
        files.set(name, bytes);
        this.power.use();
      },
      read: async (name) => files.get(name),
    };
  }

  /** Answers differ each time: a second answer to one voucher would have another hash. */
  #inference(): Inference {
    return {
      tokensIn: () => 10,
      infer: async ({ prompt }) => {
        const claimed = this.claim?.answerRoot;
        const content = utf8(`${toHex(prompt)} answered ${this.inferences++}`);
        return {
          content,
          tokensOut: this.answerTokens,
          responseHash: this.answerRoot ?? claimed ?? sha256(content),
          claimId: claimed === undefined ? 0n : 1n,
        };
      },
    };
  }

  /** A process without power is told nothing. */
  #isOn(): void {
    if (this.power.isOff) throw new PowerCut('power went');
  }

  #sends(what: GatewayWorld['sent'][number]): void {
    this.power.use();
    this.sent.push(what);
    if (this.refused.has(what)) throw new LedgerError('attest.refused', `the chain refuses: ${what}`);
  }

  #timers(): Timers {
    const after: Timers['after'] = (ms, call) => {
      if (ms === STREAM_MS) {
        this.#timeLimits.add(call);
        return () => void this.#timeLimits.delete(call);
      }
      const timer = this.isPatient ? undefined : setImmediate(call);
      return () => clearImmediate(timer);
    };
    return { now: () => 0, after };
  }

  #streaming(): StreamingInference {
    const stream = async function* (this: GatewayWorld, prompt: Uint8Array): AsyncGenerator<StreamedPart> {
      yield* this.parts(toHex(prompt), this.inferences++);
    };
    return { tokensIn: () => 10, stream: ({ prompt }) => stream.call(this, prompt) };
  }

  #chain(): SettlementChain {
    const { world } = this;
    const context = () => world.chain.app.contextAt(world.chain.app.height);
    return {
      terms: async (modelId) =>
        world.watched({ ...EMPTY_ROUND, gateway: world.gateway.address }).terms(modelId),
      mirrors: async () => {
        this.#isOn();
        const { channel: channelId } = world;
        const ofChannel = { request: channels.QueryChannelRequest, response: channels.QueryChannelResponse };
        const ofLanes = { request: channels.QueryLanesRequest, response: channels.QueryLanesResponse };
        const { channel } = world.chain.query(`${CHANNELS}/Channel`, ofChannel, { channelId });
        const { lanes } = world.chain.query(`${CHANNELS}/Lanes`, ofLanes, {
          channelId,
          pagination: undefined,
        });
        return [{ record: channel, lanes, asOf: 0, blockTime: world.chain.time }];
      },
      rounds: async () => [1n, 2n, 3n, 4n, 5n, 6n].flatMap((id) => world.round(id) ?? []),
      lanes: async (roundId) => lanesOf(context(), roundId),
      epoch: async (id) => {
        this.#isOn();
        return world.epoch(id);
      },
      params: async () => this.params(),
      requests: async (epochId) =>
        world.chain.query(
          `${SETTLEMENT}/Requests`,
          { request: QueryRequestsRequest, response: QueryRequestsResponse },
          { epochId, pagination: undefined },
        ).requests,
      servePieces: async (answers) => {
        this.#sends('answers');
        const sender = world.gateway.address;
        world.sendOk(
          world.gateway,
          answers.map((answer) => anyOf(MsgServeEpochPiece, { sender, ...answer })),
          LOOP_GAS,
        );
      },
      claimVouchers: async (rows) => {
        this.#sends('claims');
        const message = anyOf(MsgClaimVouchers, { claimer: world.gateway.address, rows });
        world.sendOk(world.gateway, message, LOOP_GAS);
        this.power.use();
      },
      settleEpoch: async (roundId, commitment) => {
        this.#sends('epoch');
        const message = anyOf(MsgSettleEpoch, {
          gateway: world.gateway.address,
          roundId,
          commitment,
          bond: { denom: 'uopen', amount: `${BOND}` },
        });
        const result = world.sendOk(world.gateway, message);
        this.power.use();
        return responseOf(MsgSettleEpochResponse, result).epochId;
      },
    };
  }
}

const CHANNELS = '/openledger.channels.v1.Query';
const SETTLEMENT = '/openledger.settlement.v1.Query';
const EMPTY_ROUND = { id: 0n, gateway: '', denom: 'uopen', claimed: '0', closed: false, epochId: 0n };

/** The receipts that an epoch of a gateway states, by channel, lane and beginning. */
export async function statedReceipts(epochs: KeptEpochs): Promise<ReadonlyMap<string, string>> {
  const stated = new Map<string, string>();
  for (const { roundId } of epochs.rounds()) {
    const { receipts } = await epochs.ofRound(roundId);
    for (let i = 0; i < receipts.tree.leaves; i++) {
      const leaf = receipts.leaf(i);
      stated.set(toHex(leaf.subarray(1, 43)), toHex(leaf));
    }
  }
  return stated;
}

/** An outcome that has an answer. */
export function answered(outcome: Outcome): Extract<Outcome, { readonly kind: 'answered' }> {
  if (outcome.kind === 'answered') return outcome;
  throw new RangeError(`not answered but ${outcome.kind}`);
}

/** Where a receipt begins. */
export function receiptKey(receipt: Uint8Array): string {
  return toHex(defined(receipt.length > 43 ? receipt : undefined, 'receipt').subarray(1, 43));
}
