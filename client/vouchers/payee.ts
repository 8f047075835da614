/**
 * The receiving side of channels. A request goes through `accept` → serve → `settle`; of a stream each part
 * waits for `link`. Everything is on the disk before it is acted on:
 *
 * | step     | on the disk before the caller goes on | after a crash                                    |
 * | -------- | ------------------------------------- | ------------------------------------------------ |
 * | `accept` | the voucher                           | it may be served again, nothing was charged      |
 * | `link`   | the link                              | what was served is covered by it                 |
 * | `settle` | the charge                            | the same voucher is answered, not charged again  |
 *
 * A voucher is taken once: its base has to be what was charged on the lane. Lanes do not wait for each other;
 * what all of them may be charged together is decided in one turn, before anything is written.
 */
import { equalBytes, toHex } from '../../core/bytes.ts';
import { LedgerError } from '../../core/errors.ts';
import type { CloseAgreement } from '../../modules/channels/format/agreement.ts';
import { leadsTo } from '../../modules/channels/format/hash-chain.ts';
import { baseOf, largestClaim, problemOfVoucher } from '../../modules/channels/format/voucher.ts';
import { SignatureForm } from '../../proto/gen/openledger/channels/v1/channels.ts';
import type { ClaimRow } from '../../proto/gen/openledger/channels/v1/tx.ts';
import type { Journal } from './journal.ts';
import { type ChannelMirror, claimedOn } from './mirror.ts';
import {
  isSameVoucher,
  isSignedBy,
  type SignedVoucher,
  signClose,
  type SigningDomain,
  type VerifySignature,
  type VoucherSigner,
} from './signatures.ts';
import { type PayeeLane, payeeLaneFromJson, payeeLaneToJson } from './state.ts';

/** What a payee needs of the world. */
export interface PayeePorts {
  readonly journal: Journal;
  readonly verify: VerifySignature;
  /** The party's clock, in seconds since 1970. */
  readonly now: () => number;
}

/** What a payee risks. */
export interface PayeePolicy {
  readonly chainId: string;
  /** Of addresses on the chain. */
  readonly prefix: string;
  /** What may be charged and not claimed yet, on one channel. */
  readonly unclaimedMax: bigint;
  /** Seconds that what is known of the chain may be old: far less than any withdrawal delay. */
  readonly mirrorAgeMax: number;
  /**
   * True where receipts say what was charged: links of a request that is not over are then not claimed by
   * themselves, `settle` charges for them. Who comes back after a crash first settles what is `unfinished`
   * and has a receipt.
   */
  readonly receipted?: boolean;
}

/** A request that was begun, and neither charged nor served by this process. */
export interface UnfinishedRequest {
  readonly signed: SignedVoucher;
  /** What may be charged for it, by the voucher and the links that were shown. */
  readonly payable: bigint;
}

/** What a request is offered for. */
export interface Offer {
  /** 32 bytes: what the payee itself has made of the request. */
  readonly resource: Uint8Array;
  /** What the voucher has to allow for it at least. */
  readonly ceilingMin: bigint;
  /** Of `receipted` payees: the last receipt that was kept of the lane. */
  readonly lastReceipt?: ReceiptInterval | undefined;
}

/** What a lane was charged in all before and after a request, as its receipt says. */
export interface ReceiptInterval {
  readonly before: bigint;
  readonly after: bigint;
}

/** Why a voucher was not taken: stable names, for answers. */
export type Refusal =
  | 'unknown_channel'
  | 'stale_chain_state'
  | 'channel_being_withdrawn'
  | 'channel_closing'
  | 'invalid_voucher'
  | 'wrong_key_version'
  | 'wrong_resource'
  | 'ceiling_too_low'
  | 'deposit_exceeded'
  | 'claim_first'
  | 'lane_busy'
  | 'invalid_signature';

/** What a payer is told whose voucher does not begin where the lane ends: it signs anew from there. */
export interface LaneSnapshot {
  readonly charged: bigint;
  /** The last voucher that was taken: the payer's own signature proves it. Undefined for none. */
  readonly last: SignedVoucher | undefined;
  readonly linkIndex: number;
}

/** What becomes of a voucher. */
export type Acceptance =
  /**
   * Serve, then `settle`. `again` after a crash or a failure: nothing was charged for it but the links that
   * were shown; the next one has the number after `linkIndex`.
   */
  | { readonly kind: 'serve'; readonly again: boolean; readonly linkIndex: number }
  /** It was charged before: give the answer again, which costs nothing. */
  | { readonly kind: 'settled'; readonly charged: bigint }
  | { readonly kind: 'corrective'; readonly lane: LaneSnapshot }
  | { readonly kind: 'refused'; readonly reason: Refusal };

/** See the file comment. */
export class Payee {
  readonly #ports: PayeePorts;
  readonly #policy: PayeePolicy;
  readonly #mirrors = new Map<string, ChannelMirror>();
  /** Lanes whose request is being served by this process. */
  readonly #serving = new Set<string>();

  constructor(ports: PayeePorts, policy: PayeePolicy) {
    this.#ports = ports;
    this.#policy = policy;
  }

  /** Tells what the chain shows of a channel now: before its first voucher, and again and again. */
  observe(mirror: ChannelMirror): void {
    this.#mirrors.set(toHex(mirror.record.id), mirror);
  }

  /** The channel is not on the chain any more. */
  forget(channelId: Uint8Array): void {
    this.#mirrors.delete(toHex(channelId));
  }

  /**
   * Takes a voucher for a request, or says what else to do. Who serves after it always calls `settle` or
   * `abandon`.
   * @throws LedgerError `vouchers.disk`: stop, and begin again from the journal
   */
  async accept(signed: SignedVoucher, offer: Offer): Promise<Acceptance> {
    const { voucher } = signed;
    const key = laneKey(voucher.channelId, voucher.lane);
    const mirror = this.#mirrors.get(toHex(voucher.channelId));
    if (mirror === undefined) return refused('unknown_channel');
    if (this.#serving.has(key)) return refused('lane_busy');
    if (!equalBytes(voucher.resource, offer.resource)) return refused('wrong_resource');
    const before = this.#lane(key);
    const charged = this.#chargedOf(before?.lane, claimedOn(mirror, voucher.lane), offer.lastReceipt);
    if (before !== undefined && isSameVoucher(before.lane.last, signed)) {
      if (before.lane.settled) return { kind: 'settled', charged: before.lane.charged };
      const reason = this.#problemOfChannel(mirror) ?? problemOfKey(signed, mirror);
      if (reason !== undefined) return refused(reason);
      // The resource does not say what the request may cost: it may ask for more than it did before.
      if (voucher.ceiling < offer.ceilingMin) return refused('ceiling_too_low');
      // The lane went on behind it, and the journal does not know: it is an older copy.
      if (this.#policy.receipted === true && charged > before.lane.base)
        return { kind: 'corrective', lane: snapshotOf(before.lane, charged) };
      this.#serving.add(key);
      return { kind: 'serve', again: true, linkIndex: before.lane.link?.index ?? 0 };
    }
    const reason = this.#problemOf(signed, offer, mirror);
    if (reason !== undefined) return refused(reason);
    if (baseOf(voucher) !== charged) return { kind: 'corrective', lane: snapshotOf(before?.lane, charged) };
    const tooMuch = this.#problemOfAmount(signed, mirror);
    if (tooMuch !== undefined) return refused(tooMuch);
    const lane = { charged, base: charged, last: signed, link: undefined, settled: false };
    this.#serving.add(key);
    await this.#write(key, before?.version ?? 0, lane);
    return { kind: 'serve', again: false, linkIndex: 0 };
  }

  /**
   * What a receipt says was charged and the journal does not know: it was lost, or an older copy of it was
   * put in its place. 0 for none, and of a channel that was not observed.
   */
  missingCharge(channelId: Uint8Array, lane: number, receipt: ReceiptInterval): bigint {
    const mirror = this.#mirrors.get(toHex(channelId));
    if (mirror === undefined) return 0n;
    const known = this.#lane(laneKey(channelId, lane))?.lane;
    const claimed = claimedOn(mirror, lane);
    return this.#chargedOf(known, claimed, receipt) - this.#chargedOf(known, claimed, undefined);
  }

  /** What a crash or a failure has left: `resume` it and settle, or wait until its voucher comes again. */
  unfinished(): readonly UnfinishedRequest[] {
    return this.#ports.journal.keys('').flatMap((key) => {
      const lane = LANE_KEY.test(key) && !this.#serving.has(key) ? this.#lane(key)?.lane : undefined;
      if (lane === undefined || lane.settled) return [];
      return [{ signed: lane.last, payable: claimable(lane) - lane.base }];
    });
  }

  /** An unfinished request is to be settled, or abandoned, by this process: nothing more is served for it. */
  resume(channelId: Uint8Array, lane: number): void {
    this.#serving.add(laneKey(channelId, lane));
  }

  /**
   * Takes a link of the hash chain of the voucher that is being served: when it resolves, so many units more
   * are paid for.
   * @param index the number of the link, by default that of the next one; those before it need not be shown
   * @returns the number of the link; undefined for one that does not follow the last
   */
  async link(
    channelId: Uint8Array,
    lane: number,
    { preimage, index: named }: { readonly preimage: Uint8Array; readonly index?: number },
  ): Promise<number | undefined> {
    const key = laneKey(channelId, lane);
    const served = this.#served(key);
    const { hashChain } = served.lane.last.voucher;
    const known = served.lane.link;
    const last = known?.index ?? 0;
    const index = named ?? last + 1;
    if (hashChain === undefined || index <= last || index > hashChain.links) return undefined;
    if (!leadsTo(known?.preimage ?? hashChain.root, preimage, index - last)) return undefined;
    await this.#write(key, served.version, { ...served.lane, link: { preimage, index } });
    return index;
  }

  /**
   * Charges for what was served; the answer may leave when it resolves.
   * @param charge at most the ceiling, and at most what links have been shown for
   * @throws LedgerError `vouchers.overcharge`
   */
  async settle(channelId: Uint8Array, lane: number, charge: bigint): Promise<LaneSnapshot> {
    const key = laneKey(channelId, lane);
    const { lane: served, version } = this.#served(key);
    const charged = served.base + charge;
    if (charge < 0n || charge > served.last.voucher.ceiling || charged > claimable(served))
      throw new LedgerError('vouchers.overcharge', `${charge} is more than the voucher and its links allow`, {
        charge: `${charge}`,
      });
    const settled = { ...served, charged, settled: true };
    await this.#write(key, version, settled);
    this.#serving.delete(key);
    return snapshotOf(settled, charged);
  }

  /** The request failed: nothing is charged, and the same voucher may be used for it again. */
  abandon(channelId: Uint8Array, lane: number): void {
    this.#serving.delete(laneKey(channelId, lane));
  }

  /**
   * What can be claimed now, as rows of `MsgClaimVouchers`: all that was charged and the chain has not seen
   * claimed. Urgent for channels whose payer withdraws or has rotated the key.
   */
  claims(channelIds?: readonly Uint8Array[]): readonly ClaimRow[] {
    const wanted = channelIds?.map(toHex) ?? [...this.#mirrors.keys()];
    return wanted.flatMap((id) => {
      const mirror = this.#mirrors.get(id);
      if (mirror === undefined) return [];
      return this.#lanesOf(id)
        .filter((lane) => this.#dueOf(lane) > claimedOn(mirror, lane.last.voucher.lane))
        .map((lane) => rowOf(lane, this.#dueOf(lane)));
    });
  }

  /** Channels that have to be claimed from before their time is over; the one that ends first is the first. */
  urgent(): readonly Uint8Array[] {
    const urgent: { readonly id: Uint8Array; readonly end: bigint }[] = [];
    for (const { record } of this.#mirrors.values()) {
      const { keyVersion, previousKey, withdrawal } = record.channel;
      const rows = this.claims([record.id]);
      const isOld = rows.some(({ voucher }) => voucher.keyVersion < keyVersion);
      if (rows.length === 0 || (withdrawal === undefined && !isOld)) continue;
      const ends = [withdrawal?.time, isOld ? previousKey?.untilTime : undefined];
      const end = ends.reduce((least, one) => (least === undefined || (one ?? least) < least ? one : least));
      urgent.push({ id: record.id, end: end ?? 0n });
    }
    return urgent.sort((a, b) => (a.end < b.end ? -1 : a.end > b.end ? 1 : 0)).map(({ id }) => id);
  }

  /**
   * Signs what a payer wants to close by: all that was charged has to be in it. From then on no voucher of
   * the channel is taken until the agreement is void.
   * @returns undefined when the total is too low, or while a request is being served
   */
  async consent(agreement: CloseAgreement, signer: VoucherSigner): Promise<Uint8Array | undefined> {
    const id = toHex(agreement.channelId);
    const mirror = this.#mirrors.get(id);
    if (mirror === undefined || this.#isServing(id)) return undefined;
    const due = this.#sumOver(id, mirror, { without: undefined, of: (lane) => this.#dueOf(lane) });
    if (agreement.total < due) return undefined;
    const key = `${id}/close`;
    const entry = this.#ports.journal.get(key);
    const until = Math.max(Number(agreement.closeBefore), Number(entry?.value ?? 0));
    await this.#ports.journal.compareAndSet(key, entry?.version ?? 0, until);
    const domain = this.#domainOf(mirror);
    return signClose(agreement, domain, signer);
  }

  #problemOfChannel({ record, asOf, blockTime }: ChannelMirror): Refusal | undefined {
    if (this.#ports.now() - asOf > this.#policy.mirrorAgeMax) return 'stale_chain_state';
    if (record.channel.withdrawal !== undefined) return 'channel_being_withdrawn';
    const closing = this.#ports.journal.get(`${toHex(record.id)}/close`);
    return closing !== undefined && blockTime < BigInt(Number(closing.value)) ? 'channel_closing' : undefined;
  }

  #problemOf(signed: SignedVoucher, { ceilingMin }: Offer, mirror: ChannelMirror): Refusal | undefined {
    const { voucher } = signed;
    const { channel } = mirror.record;
    const reason = this.#problemOfChannel(mirror) ?? problemOfKey(signed, mirror);
    if (reason !== undefined) return reason;
    if (problemOfVoucher(voucher) !== undefined) return 'invalid_voucher';
    if (voucher.ceiling < ceilingMin) return 'ceiling_too_low';
    // Without a link it covers no less than what was charged before.
    if (baseOf(voucher) > voucher.cumulative) return 'invalid_voucher';
    const given = { domain: this.#domainOf(mirror), verify: this.#ports.verify };
    return isSignedBy(signed, channel.payerAuthorizer, given) ? undefined : 'invalid_signature';
  }

  #problemOfAmount({ voucher }: SignedVoucher, mirror: ChannelMirror): Refusal | undefined {
    const id = toHex(voucher.channelId);
    const { deposited, claimed } = mirror.record.balance;
    const promised = (lane: PayeeLane): bigint =>
      lane.settled ? lane.charged : largestClaim(lane.last.voucher);
    const all = largestClaim(voucher) + this.#sumOver(id, mirror, { without: voucher.lane, of: promised });
    if (all > BigInt(deposited)) return 'deposit_exceeded';
    return all - BigInt(claimed) > this.#policy.unclaimedMax ? 'claim_first' : undefined;
  }

  /** Over the lanes of a channel: what the journal says, or what was claimed where it says less. */
  #sumOver(
    id: string,
    mirror: ChannelMirror,
    { without, of }: { readonly without: number | undefined; readonly of: (lane: PayeeLane) => bigint },
  ): bigint {
    const amounts = new Map(mirror.lanes.map(({ lane, claimed }) => [lane, BigInt(claimed)]));
    for (const lane of this.#lanesOf(id)) {
      const { lane: number } = lane.last.voucher;
      amounts.set(number, larger(of(lane), amounts.get(number) ?? 0n));
    }
    return [...amounts].reduce((sum, [lane, amount]) => (lane === without ? sum : sum + amount), 0n);
  }

  /**
   * Where a lane ends: never below what was claimed, nor below what its last receipt says was charged, even
   * if the journal was lost.
   */
  #chargedOf(lane: PayeeLane | undefined, claimed: bigint, receipt: ReceiptInterval | undefined): bigint {
    const known = larger(lane === undefined ? 0n : this.#dueOf(lane), claimed);
    return larger(known, receipt?.after ?? 0n);
  }

  /** What was charged; of a request that is not settled, what links were shown for. */
  #dueOf({ charged, base, last, link, settled }: PayeeLane): bigint {
    if (settled || link === undefined || this.#policy.receipted === true) return charged;
    return base + BigInt(link.index) * (last.voucher.hashChain?.unit ?? 0n);
  }

  #isServing(id: string): boolean {
    return [...this.#serving].some((key) => key.startsWith(`${id}/lane/`));
  }

  #domainOf({ record }: ChannelMirror): SigningDomain {
    const { chainId, prefix } = this.#policy;
    return { chainId, prefix, denom: record.channel.config.denom };
  }

  #lanesOf(id: string): readonly PayeeLane[] {
    return this.#ports.journal.keys(`${id}/lane/`).flatMap((key) => this.#lane(key)?.lane ?? []);
  }

  #lane(key: string): { readonly lane: PayeeLane; readonly version: number } | undefined {
    const entry = this.#ports.journal.get(key);
    return entry === undefined ? undefined : { lane: payeeLaneFromJson(entry.value), version: entry.version };
  }

  /** @throws LedgerError `vouchers.not_serving` */
  #served(key: string): { readonly lane: PayeeLane; readonly version: number } {
    const found = this.#serving.has(key) ? this.#lane(key) : undefined;
    if (found === undefined) throw new LedgerError('vouchers.not_serving', `no request is served on ${key}`);
    return found;
  }

  async #write(key: string, version: number, lane: PayeeLane): Promise<void> {
    const durable = this.#ports.journal.compareAndSet(key, version, payeeLaneToJson(lane));
    if (durable === undefined)
      throw new LedgerError('vouchers.conflict', `${key} was written by somebody else`, { key });
    await durable;
  }
}

const LANE_KEY = /^[0-9a-f]{64}\/lane\/\d+$/;

function laneKey(channelId: Uint8Array, lane: number): string {
  return `${toHex(channelId)}/lane/${lane}`;
}

function refused(reason: Refusal): Acceptance {
  return { kind: 'refused', reason };
}

function problemOfKey({ voucher }: SignedVoucher, { record }: ChannelMirror): Refusal | undefined {
  return voucher.keyVersion === record.channel.keyVersion ? undefined : 'wrong_key_version';
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function snapshotOf(lane: PayeeLane | undefined, charged: bigint): LaneSnapshot {
  return { charged, last: lane?.last, linkIndex: lane?.link?.index ?? 0 };
}

/** What the last voucher and link can be claimed for. */
function claimable({ last, link }: PayeeLane): bigint {
  const { cumulative, hashChain } = last.voucher;
  return cumulative + BigInt(link?.index ?? 0) * (hashChain?.unit ?? 0n);
}

/** The last voucher covers all that was charged, also before it. */
function rowOf(lane: PayeeLane, due: bigint): ClaimRow {
  const { last, link } = lane;
  const { voucher, signature, form } = last;
  const { hashChain } = voucher;
  return {
    voucher: {
      ...voucher,
      cumulative: `${voucher.cumulative}`,
      ceiling: `${voucher.ceiling}`,
      hashChain: hashChain === undefined ? undefined : { ...hashChain, unit: `${hashChain.unit}` },
    },
    signature,
    form: form === 'plain' ? SignatureForm.SIGNATURE_FORM_PLAIN : SignatureForm.SIGNATURE_FORM_ADR036,
    total: `${due}`,
    preimage: link?.preimage ?? new Uint8Array(0),
    preimageIndex: link?.index ?? 0,
  };
}
