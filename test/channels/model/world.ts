/** A state of the model, what it is made from, and the name by which it is known again. */
import { createHash } from 'node:crypto';
import { toHex, utf8 } from '../../../core/bytes.ts';
import { sha256 } from '../../../core/hash.ts';
import type { ChannelMirror } from '../../../client/vouchers/mirror.ts';
import type { LaneSnapshot } from '../../../client/vouchers/payee.ts';
import type { SignedVoucher } from '../../../client/vouchers/signatures.ts';
import type { CloseAgreement } from '../../../modules/channels/format/agreement.ts';
import type { ClaimRow } from '../../../proto/gen/openledger/channels/v1/tx.ts';
import type { ModuleChain } from '../chain.ts';
import type { DiskImage } from './disk.ts';

/** What a payer wants in a scenario. */
export interface ModelRequest {
  readonly ceiling: bigint;
  readonly stream?: { readonly unit: bigint; readonly links: number };
}

/** What is explored: everything that can become of these requests. */
export interface Scenario {
  readonly name: string;
  readonly lanes: number;
  readonly deposit: bigint;
  /** They are asked in this order. */
  readonly requests: readonly ModelRequest[];
  /** Rotations, withdrawals and agreements happen too; else only claims. */
  readonly endings: boolean;
  /** What has happened before the exploration begins: how the names of the steps begin. */
  readonly begin?: readonly string[];
}

/** What is put in place of the right parts, to see that it is found out. */
export interface ModelFaults {
  /** Parties that do not wait for their disk. */
  readonly waitless?: 'payer' | 'payee';
  /** Parties whose disk says that it has synced and has not. */
  readonly lyingDisk?: 'payer' | 'payee';
  /** The payee lets a deadline pass without a look at the chain. */
  readonly neverWatches?: true;
  /** The payee's answer leaves before the charge is durable. */
  readonly answersFirst?: true;
  /** The payee sees the channel as it was at first. */
  readonly blind?: true;
}

/** What is under way. It stays so for ever: lost is what never arrives, repeated what arrives twice. */
export type Letter =
  | { readonly kind: 'voucher'; readonly request: number; readonly signed: SignedVoucher }
  | { readonly kind: 'link'; readonly signed: SignedVoucher; readonly preimage: Uint8Array }
  | { readonly kind: 'go-on'; readonly signed: SignedVoucher; readonly index: number }
  | { readonly kind: 'answer'; readonly signed: SignedVoucher; readonly charged: bigint }
  | { readonly kind: 'corrective'; readonly signed: SignedVoucher; readonly lane: LaneSnapshot }
  | { readonly kind: 'rotated'; readonly signed: SignedVoucher }
  | { readonly kind: 'consent'; readonly agreement: CloseAgreement; readonly signature: Uint8Array }
  | { readonly kind: 'claim'; readonly rows: readonly ClaimRow[] };

/** A request that the payee serves: in its memory only. */
export interface ModelJob {
  readonly request: number;
  readonly signed: SignedVoucher;
  /** Links that were shown. */
  readonly index: number;
}

/** What became of a request: known to nobody but the model. */
export interface Fate {
  /** Durable charges by voucher. */
  readonly charges: ReadonlyMap<string, bigint>;
  /** What has left the payee for it. */
  readonly served: bigint;
  readonly isAnswered: boolean;
  /** The payer wants something else on its lane, or cannot go on with it. */
  readonly isGivenUp: boolean;
}

/** All there is at one moment. */
export interface ModelState {
  readonly chain: ModuleChain;
  readonly isOpen: boolean;
  /** What the receiver got in all, once the channel is closed. */
  readonly paid: bigint;
  readonly payerDisk: DiskImage;
  readonly payeeDisk: DiskImage;
  /** What the payee knows of the chain. */
  readonly mirror: ChannelMirror | undefined;
  readonly jobs: readonly ModelJob[];
  readonly letters: ReadonlyMap<string, Letter>;
  /** Of the requests that were asked. */
  readonly fates: readonly Fate[];
}

/** 32 bytes that name a request of a scenario. */
export function resourceOf(request: number): Uint8Array {
  return sha256(utf8(`model request ${request}`));
}

/** The request that a voucher is for. */
export function requestOf({ voucher }: SignedVoucher, { requests }: Scenario): number {
  const wanted = toHex(voucher.resource);
  return requests.findIndex((_, i) => toHex(resourceOf(i)) === wanted);
}

/** A voucher's short name. */
export function voucherName({ signature }: SignedVoucher): string {
  return toHex(signature.subarray(0, 6));
}

/** The same letter has the same name. */
export function letterName(letter: Letter): string {
  switch (letter.kind) {
    case 'voucher':
    case 'rotated':
      return `${letter.kind} ${voucherName(letter.signed)}`;
    case 'link':
      return `link ${voucherName(letter.signed)} ${toHex(letter.preimage.subarray(0, 4))}`;
    case 'go-on':
      return `go-on ${voucherName(letter.signed)} ${letter.index}`;
    case 'answer':
      return `answer ${voucherName(letter.signed)} ${letter.charged}`;
    case 'corrective': {
      const { charged, last } = letter.lane;
      const proof = last === undefined ? '-' : voucherName(last);
      return `corrective ${voucherName(letter.signed)} ${charged} ${proof}`;
    }
    case 'consent':
      return `consent ${letter.agreement.keyVersion} ${letter.agreement.total} ${letter.agreement.closeBefore}`;
    case 'claim':
      return `claim ${letter.rows.map(({ signature, total }) => `${toHex(signature.subarray(0, 6))} ${total}`)}`;
  }
}

/** Adds letters to those that are under way. */
export function withLetters(s: ModelState, sent: readonly Letter[]): ModelState {
  if (sent.every((letter) => s.letters.has(letterName(letter)))) return s;
  const letters = new Map([...s.letters, ...sent.map((letter) => [letterName(letter), letter] as const)]);
  return { ...s, letters };
}

/** Changes what is known of a request. */
export function withFate(s: ModelState, request: number, change: (fate: Fate) => Partial<Fate>): ModelState {
  return { ...s, fates: s.fates.map((fate, i) => (i === request ? { ...fate, ...change(fate) } : fate)) };
}

/**
 * A digest of all that later steps depend on. How often a journal's key was written is left out: nobody
 * compares it but with itself.
 */
export function stateName(s: ModelState, chain: ChannelMirror | undefined): string {
  const jobs = s.jobs.map(({ request, signed, index }) => `${request} ${voucherName(signed)} ${index}`);
  const fates = s.fates.map(
    ({ charges, served, isAnswered, isGivenUp }) =>
      `${[...charges].sort().join(' ')} ${served} ${isAnswered} ${isGivenUp}`,
  );
  const parts = [
    s.isOpen,
    s.paid,
    s.chain.block.height,
    mirrorName(chain),
    mirrorName(s.mirror),
    s.payerDisk.content,
    s.payeeDisk.content,
    jobs.sort().join(),
    [...s.letters.keys()].sort().join(),
    fates.join(),
  ];
  return createHash('sha256').update(parts.join('|')).digest('base64');
}

function mirrorName(mirror: ChannelMirror | undefined): string {
  if (mirror === undefined) return '-';
  const { channel, balance } = mirror.record;
  const { keyVersion, previousKey, withdrawal } = channel;
  const lanes = mirror.lanes.map(({ lane, claimed }) => `${lane} ${claimed}`).join();
  return [
    mirror.asOf,
    mirror.blockTime,
    keyVersion,
    previousKey?.untilTime,
    withdrawal?.time,
    balance.claimed,
    lanes,
  ].join(' ');
}
