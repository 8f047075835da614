/** Channels and vouchers for tests: parties with keys of both kinds, and what they sign. */
import { adr036SignBytes } from '../../core/adr036.ts';
import { utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import type { SingleKey } from '../../framework/tx/public-key.ts';
import { ed25519PublicKey } from '../../framework/tx/public-key.ts';
import { type CloseAgreement, closeBytes } from '../../modules/channels/format/agreement.ts';
import { type VoucherContent, voucherBytes, voucherText } from '../../modules/channels/format/voucher.ts';
import { ed25519Signer } from '../../node/crypto/ed25519.ts';
import {
  type ChannelConfig,
  KeyKind,
  ReceiverKind,
  SignatureForm,
  type SigningKey,
  type Voucher,
} from '../../proto/gen/openledger/channels/v1/channels.ts';
import type { ClaimRow } from '../../proto/gen/openledger/channels/v1/tx.ts';
import { signSecp256k1, type TestAccount } from './test-chain.ts';

/** A key that signs off the chain. */
export interface TestSigner {
  readonly key: SigningKey;
  readonly publicKey: SingleKey;
  /** 64 bytes over a message. */
  sign(message: Uint8Array): Uint8Array;
}

/** An ed25519 key of a session, made of a name. */
export function sessionSigner(name: string): TestSigner {
  const { publicKey, sign } = ed25519Signer(sha256(utf8(`session ${name}`)));
  return {
    key: { kind: KeyKind.KEY_KIND_ED25519, key: publicKey },
    publicKey: ed25519PublicKey(publicKey),
    sign,
  };
}

/** An account's own key, as its wallet signs with it. */
export function accountSigner({ privateKey, pubKey }: TestAccount): TestSigner {
  if (pubKey.kind === 'multisig') throw new RangeError('an account of several keys');
  return {
    key: { kind: KeyKind.KEY_KIND_SECP256K1, key: pubKey.bytes },
    publicKey: pubKey,
    sign: (message) => signSecp256k1(sha256(message), privateKey),
  };
}

/** A configuration that the chain takes, signed for by a session key. */
export function configOf(
  parties: { readonly payer: TestAccount; readonly receiver: TestAccount; readonly now: bigint },
  change: Partial<ChannelConfig> = {},
): ChannelConfig {
  const { payer, receiver, now } = parties;
  return {
    payer: payer.address,
    payerAuthorizer: sessionSigner(payer.address).key,
    receiverKind: ReceiverKind.RECEIVER_KIND_ACCOUNT,
    receiver: receiver.address,
    receiverAuthorizer: accountSigner(receiver).key,
    denom: 'uopen',
    withdrawDelay: 900,
    openBefore: now + 3600n,
    salt: sha256(utf8('salt')),
    ...change,
  };
}

/** A voucher for a hundred units. */
export function voucherFor(channelId: Uint8Array, change: Partial<VoucherContent> = {}): VoucherContent {
  return {
    channelId,
    lane: 0,
    keyVersion: 0,
    cumulative: 100n,
    ceiling: 100n,
    resource: sha256(utf8('request')),
    hashChain: undefined,
    ...change,
  };
}

/** How a row is signed. */
export interface RowOptions {
  readonly signer: TestSigner;
  readonly chainId?: string;
  /** Signs as a wallet does: the address that it names. */
  readonly wallet?: { readonly address: string; readonly denom: string };
  /** Default: all that the voucher allows without links. */
  readonly total?: bigint;
  readonly preimage?: Uint8Array;
  readonly preimageIndex?: number;
}

/** A voucher as a message carries it. */
export function voucherToWire(voucher: VoucherContent): Voucher {
  const { cumulative, ceiling, hashChain } = voucher;
  return {
    ...voucher,
    cumulative: `${cumulative}`,
    ceiling: `${ceiling}`,
    hashChain: hashChain === undefined ? undefined : { ...hashChain, unit: `${hashChain.unit}` },
  };
}

/** A row of a claim, signed. */
export function rowFor(voucher: VoucherContent, options: RowOptions): ClaimRow {
  const { signer, chainId = 'test-chain-1', wallet } = options;
  const message =
    wallet === undefined
      ? voucherBytes(voucher, chainId)
      : adr036SignBytes(wallet.address, voucherText(voucher, { chainId, denom: wallet.denom }));
  return {
    voucher: voucherToWire(voucher),
    signature: signer.sign(message),
    form: wallet === undefined ? SignatureForm.SIGNATURE_FORM_PLAIN : SignatureForm.SIGNATURE_FORM_ADR036,
    total: `${options.total ?? voucher.cumulative}`,
    preimage: options.preimage ?? new Uint8Array(0),
    preimageIndex: options.preimageIndex ?? 0,
  };
}

/** A party's signature under an agreement to close. */
export function consentOf(
  agreement: CloseAgreement,
  signer: TestSigner,
  chainId = 'test-chain-1',
): { readonly signature: Uint8Array; readonly form: SignatureForm } {
  return {
    signature: signer.sign(closeBytes(agreement, chainId)),
    form: SignatureForm.SIGNATURE_FORM_PLAIN,
  };
}
