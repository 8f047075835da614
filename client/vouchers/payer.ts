/**
 * The paying side of a channel. A request goes through `sign` → send → `answered`; who gets a corrective
 * answer tells it by `corrected` and signs anew. A voucher is on the disk before anybody sees it:
 *
 * | step       | on the disk before the caller goes on | after a crash                                   |
 * | ---------- | ------------------------------------- | ----------------------------------------------- |
 * | `sign`     | the voucher                           | `pending` has it: send the very same again      |
 * | `answered` | what was charged                      | it is pending again, and its answer comes again |
 *
 * All that was ever signed is counted: whatever the payee does, no more than `exposure` can be taken.
 */
import { toHex } from '../../core/bytes.ts';
import { defined, LedgerError } from '../../core/errors.ts';
import { hashChainOf } from '../../modules/channels/format/hash-chain.ts';
import { baseOf, LANES, largestClaim, type VoucherContent } from '../../modules/channels/format/voucher.ts';
import type { Journal } from './journal.ts';
import {
  isSameVoucher,
  isSignedBy,
  type SignedVoucher,
  type SigningDomain,
  signVoucher,
  type VerifySignature,
  type VoucherSigner,
} from './signatures.ts';
import type { SigningKey } from '../../proto/gen/openledger/channels/v1/channels.ts';
import type { LaneSnapshot } from './payee.ts';
import {
  type PayerLane,
  payerLaneFromJson,
  payerLaneToJson,
  type PendingVoucher,
  type ShownLink,
} from './state.ts';

/** What a payer needs of the world. */
export interface PayerPorts {
  readonly journal: Journal;
  /** Checks what a payee shows as the payer's own. */
  readonly verify: VerifySignature;
  /** 32 secret bytes, each time others: what hash chains are made of. */
  readonly randomSeed: () => Uint8Array;
}

/** The channel that is paid from. */
export interface PayerChannel {
  /** 32 bytes. */
  readonly id: Uint8Array;
  readonly domain: SigningDomain;
  readonly signer: VoucherSigner;
  /** The payer's keys by version: the last one is the signer's, those before were rotated. */
  readonly keys: readonly SigningKey[];
  /** All that was paid in. */
  readonly deposited: bigint;
  /** Lanes 0 to this are used: so many requests at a time. */
  readonly lanes: number;
}

/** What is to be paid for. */
export interface PayableRequest {
  /** 32 bytes. */
  readonly resource: Uint8Array;
  /** Most that it may cost. */
  readonly ceiling: bigint;
  /** Paid link by link, out of the ceiling: so many units. */
  readonly stream?: { readonly unit: bigint; readonly links: number };
}

/** Nothing was signed on a lane yet. */
const FRESH: PayerLane = { acknowledged: 0n, exposure: 0n, pending: undefined };

/** See the file comment. */
export class Payer {
  readonly #ports: PayerPorts;
  #channel: PayerChannel;
  /** Lanes that a request of this process is on. */
  readonly #inUse = new Set<number>();
  /** What is being signed now, by lane. */
  readonly #reserved = new Map<number, bigint>();

  /** @throws LedgerError `vouchers.lanes` */
  constructor(ports: PayerPorts, channel: PayerChannel) {
    if (channel.lanes < 1 || channel.lanes > LANES)
      throw new LedgerError('vouchers.lanes', `${channel.lanes} lanes; a channel has 1 to ${LANES}`);
    this.#ports = ports;
    this.#channel = channel;
  }

  /** The channel has changed on the chain: more was paid in, or the key was rotated. */
  update(change: Partial<Pick<PayerChannel, 'deposited' | 'signer' | 'keys'>>): void {
    this.#channel = { ...this.#channel, ...change };
  }

  /** What was sent and not answered, by lane: to be sent again, or replaced by signing on the lane. */
  pending(): readonly SignedVoucher[] {
    return this.#lanes().flatMap(({ lane }) => lane.pending?.signed ?? []);
  }

  /** Most that the payee could claim by all that was signed. */
  get exposure(): bigint {
    return this.#lanes().reduce(
      (sum, { lane }, i) => sum + largest(lane.exposure, this.#reserved.get(i) ?? 0n),
      0n,
    );
  }

  /** What the payee has said was charged. */
  get charged(): bigint {
    return this.#lanes().reduce((sum, { lane }) => sum + lane.acknowledged, 0n);
  }

  /** A lane without a request, for `sign`; undefined when all are in use. */
  takeLane(): number | undefined {
    for (let lane = 0; lane < this.#channel.lanes; lane++)
      if (!this.#inUse.has(lane) && this.#lane(lane).lane.pending === undefined) {
        this.#inUse.add(lane);
        return lane;
      }
    return undefined;
  }

  /** The request on the lane is over, however. */
  releaseLane(lane: number): void {
    this.#inUse.delete(lane);
  }

  /**
   * Signs a voucher for a request; it may be sent when this resolves.
   * @throws LedgerError `vouchers.deposit` when all that was signed would be more than the deposit,
   * `vouchers.conflict` when somebody else signs on the lane, `vouchers.disk`
   */
  async sign(lane: number, request: PayableRequest): Promise<SignedVoucher> {
    const { lane: state, version } = this.#lane(lane);
    const { voucher, seed } = this.#voucherFor(lane, state, request);
    const exposure = largest(state.exposure, largestClaim(voucher));
    if (this.exposure - state.exposure + exposure > this.#channel.deposited)
      throw new LedgerError(
        'vouchers.deposit',
        `the deposit of ${this.#channel.deposited} does not cover ${request.ceiling} more`,
      );
    this.#reserved.set(lane, exposure);
    try {
      const signed = await signVoucher(voucher, this.#channel.domain, this.#channel.signer);
      await this.#write(lane, version, { ...state, exposure, pending: { signed, seed } });
      return signed;
    } finally {
      this.#reserved.delete(lane);
    }
  }

  /** Links of the pending voucher's hash chain, to be shown in this order, one for each unit. */
  links(lane: number): readonly Uint8Array[] {
    const { pending } = this.#lane(lane).lane;
    const hashChain = pending?.signed.voucher.hashChain;
    if (pending?.seed === undefined || hashChain === undefined) return [];
    return hashChainOf(pending.seed, hashChain.links).slice(1);
  }

  /**
   * The link of the pending voucher's hash chain that pays for so much of the request, `due` as the payee
   * says it; undefined when the voucher itself does. It is shown once: links only go up.
   * @throws LedgerError `vouchers.ceiling` when that is more than was signed for
   */
  linkFor(lane: number, due: bigint): ShownLink | undefined {
    const { voucher } = this.#lane(lane).lane.pending?.signed ?? {};
    if (voucher === undefined || due > voucher.ceiling)
      throw new LedgerError('vouchers.ceiling', `${due} is due, which no pending voucher is signed for`);
    const { cumulative, hashChain } = voucher;
    const open = due - (cumulative - baseOf(voucher));
    if (hashChain === undefined || open <= 0n) return undefined;
    const index = Number((open + hashChain.unit - 1n) / hashChain.unit);
    return { preimage: defined(this.links(lane)[index - 1], 'link'), index };
  }

  /**
   * The payee has answered a voucher. An answer to another than the last is old, and changes nothing.
   * @param charged what it says was charged on the lane altogether
   * @throws LedgerError `vouchers.overcharge` when that is not between the voucher's base and what it allows:
   * do not go on with this payee
   */
  async answered(signed: SignedVoucher, charged: bigint): Promise<void> {
    const { lane } = signed.voucher;
    const { lane: state, version } = this.#lane(lane);
    if (state.pending === undefined || !isSameVoucher(state.pending.signed, signed)) return;
    requireCharge(state.pending, charged);
    await this.#write(lane, version, { ...state, acknowledged: charged, pending: undefined });
  }

  /**
   * The payee's lane ends elsewhere than the voucher begins: one of both has lost its last message.
   * @returns whether the voucher was charged, or is to be signed anew from where the payee is; `old` when it
   * is not the last one
   * @throws LedgerError `vouchers.overcharge` when the payee cannot prove what it says by the payer's own
   * signature: do not go on with this payee
   */
  async corrected(
    signed: SignedVoucher,
    { charged, last }: LaneSnapshot,
  ): Promise<'charged' | 'sign-again' | 'old'> {
    const { lane } = signed.voucher;
    const { lane: state, version } = this.#lane(lane);
    const { pending } = state;
    if (pending === undefined || !isSameVoucher(pending.signed, signed)) return 'old';
    const isPending = last !== undefined && isSameVoucher(last, signed);
    if (isPending) requireCharge(pending, charged);
    else if (charged > state.acknowledged && !this.#isOwn(last, lane, charged)) throw overcharged(charged);
    await this.#write(lane, version, { ...state, acknowledged: charged, pending: undefined });
    return isPending ? 'charged' : 'sign-again';
  }

  /** True when this payer has signed for as much: its own journal has lost an answer, or never had it. */
  #isOwn(last: SignedVoucher | undefined, lane: number, charged: bigint): boolean {
    if (last === undefined || last.voucher.lane !== lane) return false;
    const { exposure } = this.#lane(lane).lane;
    const { keys, domain } = this.#channel;
    const key = keys[last.voucher.keyVersion];
    if (key === undefined) return false;
    if (charged < baseOf(last.voucher) || charged > largestClaim(last.voucher) || charged > exposure)
      return false;
    return isSignedBy(last, key, { domain, verify: this.#ports.verify });
  }

  #voucherFor(
    lane: number,
    { acknowledged }: PayerLane,
    { resource, ceiling, stream }: PayableRequest,
  ): { readonly voucher: VoucherContent; readonly seed: Uint8Array | undefined } {
    const { id: channelId, keys } = this.#channel;
    const keyVersion = keys.length - 1;
    const common = { channelId, lane, keyVersion, ceiling, resource };
    if (stream === undefined)
      return {
        voucher: { ...common, cumulative: acknowledged + ceiling, hashChain: undefined },
        seed: undefined,
      };
    const inLinks = stream.unit * BigInt(stream.links);
    if (inLinks > ceiling)
      throw new LedgerError(
        'vouchers.ceiling',
        `${stream.links} links of ${stream.unit} are above ${ceiling}`,
      );
    const seed = this.#ports.randomSeed();
    const root = hashChainOf(seed, stream.links)[0] ?? seed;
    const hashChain = { ...stream, root };
    return { voucher: { ...common, cumulative: acknowledged + ceiling - inLinks, hashChain }, seed };
  }

  #lanes(): readonly { readonly lane: PayerLane; readonly version: number }[] {
    return Array.from({ length: this.#channel.lanes }, (_, lane) => this.#lane(lane));
  }

  #lane(lane: number): { readonly lane: PayerLane; readonly version: number } {
    const entry = this.#ports.journal.get(this.#key(lane));
    if (entry === undefined) return { lane: FRESH, version: 0 };
    return { lane: payerLaneFromJson(entry.value), version: entry.version };
  }

  #key(lane: number): string {
    return `${toHex(this.#channel.id)}/lane/${lane}`;
  }

  async #write(lane: number, version: number, state: PayerLane): Promise<void> {
    const key = this.#key(lane);
    const durable = this.#ports.journal.compareAndSet(key, version, payerLaneToJson(state));
    if (durable === undefined)
      throw new LedgerError('vouchers.conflict', `${key} was written by somebody else`, { key });
    await durable;
  }
}

function requireCharge({ signed: { voucher } }: PendingVoucher, charged: bigint): void {
  if (charged < baseOf(voucher) || charged > largestClaim(voucher)) throw overcharged(charged);
}

function overcharged(charged: bigint): LedgerError {
  return new LedgerError(
    'vouchers.overcharge',
    `the payee says ${charged} was charged, which was not signed for`,
    {
      charged: `${charged}`,
    },
  );
}

function largest(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
