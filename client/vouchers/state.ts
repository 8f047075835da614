/** What parties write down, as JSON: bytes in hex, amounts in decimals. */
import { fromHex, toHex } from '../../core/bytes.ts';
import type { VoucherContent } from '../../modules/channels/format/voucher.ts';
import type { JournalValue } from './journal.ts';
import type { SignedVoucher } from './signatures.ts';

/** A link of a voucher's hash chain. */
export interface ShownLink {
  readonly preimage: Uint8Array;
  /** So many hashes lead to the root. */
  readonly index: number;
}

/** A payee's lane. */
export interface PayeeLane {
  /** What was charged altogether, by the last voucher and those before it. */
  readonly charged: bigint;
  /** What was charged before the last voucher. */
  readonly base: bigint;
  /** The last one that was taken. */
  readonly last: SignedVoucher;
  /** Of its hash chain, the last that was shown. */
  readonly link: ShownLink | undefined;
  /** False until its request is charged. */
  readonly settled: boolean;
}

/** A payer's lane. */
export interface PayerLane {
  /** What the payee has said was charged, or signed vouchers were based on. */
  readonly acknowledged: bigint;
  /** Most that any voucher of the lane allows to be claimed. */
  readonly exposure: bigint;
  /** What was sent and not answered. */
  readonly pending: PendingVoucher | undefined;
}

/** A voucher that was signed, with what the payer keeps to itself. */
export interface PendingVoucher {
  readonly signed: SignedVoucher;
  /** 32 bytes that the hash chain is made of. */
  readonly seed: Uint8Array | undefined;
}

/** A lane's value in the journal. */
export function payeeLaneToJson({ charged, base, last, link, settled }: PayeeLane): JournalValue {
  return {
    charged: `${charged}`,
    base: `${base}`,
    last: signedToJson(last),
    link: link === undefined ? null : { preimage: toHex(link.preimage), index: link.index },
    settled,
  };
}

/** @throws TypeError, SyntaxError when the journal was written by something else */
export function payeeLaneFromJson(value: JournalValue): PayeeLane {
  const json = value as {
    readonly charged: string;
    readonly base: string;
    readonly last: JournalValue;
    readonly link: { readonly preimage: string; readonly index: number } | null;
    readonly settled: boolean;
  };
  const { link } = json;
  return {
    charged: BigInt(json.charged),
    base: BigInt(json.base),
    last: signedFromJson(json.last),
    link: link === null ? undefined : { preimage: fromHex(link.preimage), index: link.index },
    settled: json.settled,
  };
}

/** A lane's value in the journal. */
export function payerLaneToJson({ acknowledged, exposure, pending }: PayerLane): JournalValue {
  const seed = pending?.seed;
  return {
    acknowledged: `${acknowledged}`,
    exposure: `${exposure}`,
    pending:
      pending === undefined
        ? null
        : { signed: signedToJson(pending.signed), seed: seed === undefined ? null : toHex(seed) },
  };
}

/** @throws TypeError, SyntaxError when the journal was written by something else */
export function payerLaneFromJson(value: JournalValue): PayerLane {
  const json = value as {
    readonly acknowledged: string;
    readonly exposure: string;
    readonly pending: { readonly signed: JournalValue; readonly seed: string | null } | null;
  };
  const { pending } = json;
  return {
    acknowledged: BigInt(json.acknowledged),
    exposure: BigInt(json.exposure),
    pending:
      pending === null
        ? undefined
        : {
            signed: signedFromJson(pending.signed),
            seed: pending.seed === null ? undefined : fromHex(pending.seed),
          },
  };
}

function signedToJson({ voucher, signature, form }: SignedVoucher): JournalValue {
  const { hashChain } = voucher;
  return {
    channelId: toHex(voucher.channelId),
    lane: voucher.lane,
    keyVersion: voucher.keyVersion,
    cumulative: `${voucher.cumulative}`,
    ceiling: `${voucher.ceiling}`,
    resource: toHex(voucher.resource),
    hashChain:
      hashChain === undefined
        ? null
        : { root: toHex(hashChain.root), unit: `${hashChain.unit}`, links: hashChain.links },
    signature: toHex(signature),
    form,
  };
}

function signedFromJson(value: JournalValue): SignedVoucher {
  const json = value as {
    readonly [Name in 'channelId' | 'cumulative' | 'ceiling' | 'resource' | 'signature']: string;
  } & {
    readonly lane: number;
    readonly keyVersion: number;
    readonly hashChain: { readonly root: string; readonly unit: string; readonly links: number } | null;
    readonly form: SignedVoucher['form'];
  };
  const { lane, keyVersion, hashChain, form } = json;
  const voucher: VoucherContent = {
    channelId: fromHex(json.channelId),
    lane,
    keyVersion,
    cumulative: BigInt(json.cumulative),
    ceiling: BigInt(json.ceiling),
    resource: fromHex(json.resource),
    hashChain:
      hashChain === null
        ? undefined
        : { root: fromHex(hashChain.root), unit: BigInt(hashChain.unit), links: hashChain.links },
  };
  return { voucher, signature: fromHex(json.signature), form };
}
