/**
 * Agreements to close a channel at once. What a program signs:
 *
 * | bytes | what                                                   |
 * | ----- | ------------------------------------------------------ |
 * | 26    | `openledger/channels/close` and a zero                 |
 * | 1 + n | chain id behind its length                             |
 * | 32    | channel                                                |
 * | 4     | key version of the payer                               |
 * | 16    | total: what the receiver shall have got altogether     |
 * | 8     | close before, in seconds since 1970                    |
 *
 * Whoever has signed one does not go on with the channel until its time is over: until then the other may use
 * it.
 */
import { concatBytes, toHex } from '../../../core/bytes.ts';
import { amount, domain, fixed, ID_BYTES, number, text } from './encoding.ts';
import type { VoucherDomain } from './voucher.ts';

const DOMAIN = domain('close');

/** What both parties agree on. */
export interface CloseAgreement {
  /** 32 bytes. */
  readonly channelId: Uint8Array;
  readonly keyVersion: number;
  readonly total: bigint;
  readonly closeBefore: bigint;
}

/** The bytes that programs sign. @throws AssertionError when a part has no canonical form */
export function closeBytes(agreement: CloseAgreement, chainId: string): Uint8Array {
  const { channelId, keyVersion, total, closeBefore } = agreement;
  return concatBytes(
    DOMAIN,
    text(chainId),
    fixed(channelId, ID_BYTES),
    number(BigInt(keyVersion), 4),
    amount(total),
    number(closeBefore, 8),
  );
}

/** The text that people sign with a wallet. */
export function closeText(agreement: CloseAgreement, { chainId, denom }: VoucherDomain): string {
  const { channelId, keyVersion, total, closeBefore } = agreement;
  return [
    'Agreement to close a payment channel',
    `chain: ${chainId}`,
    `channel: ${toHex(channelId)}`,
    `key version: ${keyVersion}`,
    `the receiver gets altogether: ${total} ${denom}`,
    `good before (seconds since 1970): ${closeBefore}`,
  ].join('\n');
}
