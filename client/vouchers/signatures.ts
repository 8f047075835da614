/** Signing and verifying vouchers and agreements, off the chain, by the rules of the chain. */
import { adr036SignBytes } from '../../core/adr036.ts';
import { toBech32 } from '../../core/bech32.ts';
import { equalBytes } from '../../core/bytes.ts';
import { ripemd160, sha256 } from '../../core/hash.ts';
import { type CloseAgreement, closeBytes, closeText } from '../../modules/channels/format/agreement.ts';
import {
  type VoucherContent,
  type VoucherDomain,
  voucherBytes,
  voucherText,
} from '../../modules/channels/format/voucher.ts';
import { KeyKind, type SigningKey } from '../../proto/gen/openledger/channels/v1/channels.ts';

/** What of a voucher was signed: its bytes, or ADR-036 of its text. */
export type SignedForm = 'plain' | 'adr036';

/** A voucher with its signature: what travels from payer to payee. */
export interface SignedVoucher {
  readonly voucher: VoucherContent;
  /** 64 bytes. */
  readonly signature: Uint8Array;
  readonly form: SignedForm;
}

/** Signs with a key of a session, an account or a wallet. */
export interface VoucherSigner {
  readonly form: SignedForm;
  /**
   * The 64 bytes over `bytes`, or over the sign document of ADR-036 of `text`, by its form. ed25519 signs the
   * bytes, secp256k1 their SHA-256.
   */
  sign(statement: { readonly bytes: Uint8Array; readonly text: string }): Promise<Uint8Array>;
}

/** Verifies a signature over bytes: ed25519, or secp256k1 over their SHA-256 with low s. */
export type VerifySignature = (key: SigningKey, message: Uint8Array, signature: Uint8Array) => boolean;

/** What a voucher is signed for. */
export interface SigningDomain extends VoucherDomain {
  /** Of addresses on this chain. */
  readonly prefix: string;
}

/** Signs a voucher. */
export async function signVoucher(
  voucher: VoucherContent,
  domain: VoucherDomain,
  signer: VoucherSigner,
): Promise<SignedVoucher> {
  const bytes = voucherBytes(voucher, domain.chainId);
  const signature = await signer.sign({ bytes, text: voucherText(voucher, domain) });
  return { voucher, signature, form: signer.form };
}

/** True when the key has signed the voucher for this chain. */
export function isSignedBy(
  { voucher, signature, form }: SignedVoucher,
  key: SigningKey,
  given: { readonly domain: SigningDomain; readonly verify: VerifySignature },
): boolean {
  const { domain, verify } = given;
  const message =
    form === 'plain'
      ? voucherBytes(voucher, domain.chainId)
      : adr036SignBytes(addressOf(key, domain.prefix), voucherText(voucher, domain));
  return verify(key, message, signature);
}

/** The chain takes the address of the key, whatever a wallet was told. */
function addressOf({ kind, key }: SigningKey, prefix: string): string {
  const digest = sha256(key);
  return toBech32(prefix, kind === KeyKind.KEY_KIND_SECP256K1 ? ripemd160(digest) : digest.subarray(0, 20));
}

/** Signs an agreement to close. */
export function signClose(
  agreement: CloseAgreement,
  domain: VoucherDomain,
  signer: VoucherSigner,
): Promise<Uint8Array> {
  return signer.sign({ bytes: closeBytes(agreement, domain.chainId), text: closeText(agreement, domain) });
}

/** True when two vouchers say and are signed the same. */
export function isSameVoucher(a: SignedVoucher, b: SignedVoucher): boolean {
  const bytes = (one: SignedVoucher): Uint8Array => voucherBytes(one.voucher, '');
  return equalBytes(bytes(a), bytes(b)) && equalBytes(a.signature, b.signature);
}
