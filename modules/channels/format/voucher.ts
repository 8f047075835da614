/**
 * Vouchers. What a program signs:
 *
 * | bytes | what                                                                     |
 * | ----- | ------------------------------------------------------------------------ |
 * | 28    | `openledger/channels/voucher` and a zero                                 |
 * | 1 + n | chain id behind its length                                               |
 * | 32    | channel                                                                  |
 * | 2     | lane                                                                     |
 * | 4     | key version                                                              |
 * | 16    | cumulative                                                               |
 * | 16    | ceiling                                                                  |
 * | 32    | resource                                                                 |
 * | 32    | root of the hash chain; zeros without one                                |
 * | 16    | its unit; 0 without one                                                  |
 * | 2     | its links; 0 without one                                                 |
 *
 * Of a voucher, with `k` links shown, the receiver may have claimed `cumulative + k · unit` on the lane. The
 * payer says by it that `base = cumulative + links · unit − ceiling` was charged before.
 */
import { concatBytes, newBytes, toHex } from '../../../core/bytes.ts';
import { AMOUNT_END, amount, domain, fixed, ID_BYTES, number, text } from './encoding.ts';

/** Lanes of a channel: 0 to 1023, so that ending a channel costs no more than a transaction may. */
export const LANES = 1024;
/** Links of a hash chain at most. */
export const LINKS_MAX = 4096;

const DOMAIN = domain('voucher');
const NO_ROOT = newBytes(ID_BYTES);

/** A chain of hashes whose preimages are worth a unit each. */
export interface VoucherHashChain {
  /** 32 bytes. */
  readonly root: Uint8Array;
  /** In base units, above 0. */
  readonly unit: bigint;
  /** 1 to `LINKS_MAX`. */
  readonly links: number;
}

/** A payer's promise on one lane of a channel. Amounts are in base units of the channel's denomination. */
export interface VoucherContent {
  /** 32 bytes. */
  readonly channelId: Uint8Array;
  /** 0 to `LANES − 1`. */
  readonly lane: number;
  /** Rotations of the payer's key before the one that signs. */
  readonly keyVersion: number;
  /** Most that may have been claimed on the lane altogether, without links. */
  readonly cumulative: bigint;
  /** Most that this request may cost, links included. */
  readonly ceiling: bigint;
  /** 32 bytes that name the request. */
  readonly resource: Uint8Array;
  readonly hashChain: VoucherHashChain | undefined;
}

/** What a voucher is signed for besides its content. */
export interface VoucherDomain {
  readonly chainId: string;
  /** Of the channel: people read it. */
  readonly denom: string;
}

/** What is wrong with a voucher that no chain would take; undefined when it has a canonical form. */
export function problemOfVoucher(voucher: VoucherContent): string | undefined {
  const { channelId, lane, keyVersion, cumulative, ceiling, resource, hashChain } = voucher;
  if (channelId.length !== ID_BYTES) return `channel_id has ${channelId.length} bytes, must have 32`;
  if (resource.length !== ID_BYTES) return `resource has ${resource.length} bytes, must have 32`;
  if (!isBelow(lane, LANES)) return `lane is ${lane}, must be 0 to ${LANES - 1}`;
  if (!isBelow(keyVersion, 2 ** 32)) return `key_version is ${keyVersion}`;
  if (!isAmount(cumulative) || !isAmount(ceiling)) return 'cumulative and ceiling must be below 2^128';
  const problem = hashChain === undefined ? undefined : problemOfHashChain(hashChain);
  if (problem !== undefined) return problem;
  if (!isAmount(largestClaim(voucher))) return 'cumulative with all links must be below 2^128';
  if (ceiling > largestClaim(voucher)) return `ceiling ${ceiling} is more than the voucher allows altogether`;
  return undefined;
}

function problemOfHashChain({ root, unit, links }: VoucherHashChain): string | undefined {
  if (root.length !== ID_BYTES) return `root of the hash chain has ${root.length} bytes, must have 32`;
  if (unit === 0n || !isAmount(unit)) return 'unit of the hash chain must be 1 to 2^128 − 1';
  if (links === 0 || !isBelow(links, LINKS_MAX + 1))
    return `hash chain has ${links} links, must have 1 to 4096`;
  return undefined;
}

function isBelow(value: number, end: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < end;
}

function isAmount(value: bigint): boolean {
  return value >= 0n && value < AMOUNT_END;
}

/** Most that can ever be claimed on the lane by the voucher. */
export function largestClaim({ cumulative, hashChain }: VoucherContent): bigint {
  return hashChain === undefined ? cumulative : cumulative + BigInt(hashChain.links) * hashChain.unit;
}

/** What the payer says was charged on the lane before. */
export function baseOf(voucher: VoucherContent): bigint {
  return largestClaim(voucher) - voucher.ceiling;
}

/** The bytes that programs sign. @throws AssertionError when `problemOfVoucher` has something to say */
export function voucherBytes(voucher: VoucherContent, chainId: string): Uint8Array {
  const { channelId, lane, keyVersion, cumulative, ceiling, resource, hashChain } = voucher;
  return concatBytes(
    DOMAIN,
    text(chainId),
    fixed(channelId, ID_BYTES),
    number(BigInt(lane), 2),
    number(BigInt(keyVersion), 4),
    amount(cumulative),
    amount(ceiling),
    fixed(resource, ID_BYTES),
    fixed(hashChain?.root ?? NO_ROOT, ID_BYTES),
    amount(hashChain?.unit ?? 0n),
    number(BigInt(hashChain?.links ?? 0), 2),
  );
}

/** The text that people sign with a wallet: all that the bytes say. */
export function voucherText(voucher: VoucherContent, { chainId, denom }: VoucherDomain): string {
  const { channelId, lane, keyVersion, cumulative, ceiling, resource, hashChain } = voucher;
  const chain =
    hashChain === undefined
      ? []
      : [`and for each link of: ${toHex(hashChain.root)}`, linksText(hashChain, denom)];
  return [
    'Voucher of a payment channel',
    `chain: ${chainId}`,
    `channel: ${toHex(channelId)}`,
    `lane: ${lane}`,
    `key version: ${keyVersion}`,
    `this request costs at most: ${ceiling} ${denom}`,
    `claims on this lane altogether at most: ${cumulative} ${denom}`,
    ...chain,
    `request: ${toHex(resource)}`,
  ].join('\n');
}

function linksText({ unit, links }: VoucherHashChain, denom: string): string {
  return `another: ${unit} ${denom}, of ${links} links`;
}
