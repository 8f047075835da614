/**
 * The payment of one inference: a voucher that the payer signs and the gateway verifies, as `client/vouchers`
 * does, and whose base is what the gateway charged on the lane before. Payments travel as records:
 *
 * | bytes | what                                     |
 * | ----- | ---------------------------------------- |
 * | 4, 4  | number of the channel, lane              |
 * | 8, 8  | cumulative, ceiling, in base units       |
 * | 32    | resource: the hash of the request        |
 */
import { sha256 } from '../../../core/hash.ts';
import { isSignedBy, type VerifySignature } from '../../../client/vouchers/signatures.ts';
import { type VoucherContent, voucherBytes } from '../../../modules/channels/format/voucher.ts';
import { verifyEd25519 } from '../../../node/crypto/ed25519.ts';
import { verifySecp256k1 } from '../../../node/crypto/secp256k1.ts';
import { KeyKind, type SigningKey } from '../../../proto/gen/openledger/channels/v1/channels.ts';
import { accountSigner, sessionSigner, type TestSigner } from '../../support/channels.ts';
import { testAccount } from '../../support/test-chain.ts';

/** Bytes of a record. */
export const PAYMENT_BYTES = 56;
/** One payer in so many has an ed25519 session key, the others secp256k1, whose native checks are faster. */
const ED25519_EVERY = 25;

/** What is paid by a voucher. */
export interface Payment {
  /** Number of the channel. */
  readonly channel: number;
  readonly lane: number;
  readonly cumulative: bigint;
  readonly ceiling: bigint;
  /** 32 bytes. */
  readonly resource: Uint8Array;
}

/** A channel as both of its ends know it. */
export interface PaidChannel {
  /** 32 bytes. */
  readonly id: Uint8Array;
  /** The payer's. */
  readonly signer: TestSigner;
  /** What the gateway holds signatures against. */
  readonly key: SigningKey;
}

/** What was signed and verified; times in microseconds of processor time. */
export interface PaymentTally {
  readonly vouchers: number;
  /** Base units that verified vouchers have added to their lanes. */
  readonly amount: bigint;
  readonly signing: number;
  readonly verifying: number;
}

/** The key of a payer's session, by the number of its channel. */
export function payerSigner(channel: number): TestSigner {
  const name = `payer ${channel}`;
  return channel % ED25519_EVERY === 0 ? sessionSigner(name) : accountSigner(testAccount(name));
}

/** Writes a record. */
export function writePayment(payment: Payment, into: Uint8Array, offset: number): void {
  const view = new DataView(into.buffer, into.byteOffset + offset, PAYMENT_BYTES);
  view.setUint32(0, payment.channel);
  view.setUint32(4, payment.lane);
  view.setBigUint64(8, payment.cumulative);
  view.setBigUint64(16, payment.ceiling);
  into.set(payment.resource, offset + 24);
}

function readPayment(from: Uint8Array, offset: number): Payment {
  const view = new DataView(from.buffer, from.byteOffset + offset, PAYMENT_BYTES);
  return {
    channel: view.getUint32(0),
    lane: view.getUint32(4),
    cumulative: view.getBigUint64(8),
    ceiling: view.getBigUint64(16),
    resource: from.subarray(offset + 24, offset + PAYMENT_BYTES),
  };
}

const verify: VerifySignature = ({ kind, key }, message, signature) =>
  kind === KeyKind.KEY_KIND_ED25519
    ? verifyEd25519(key, message, signature)
    : verifySecp256k1(key, sha256(message), signature);

/** Some channels: their payers, and what the gateway knows of them. */
export class PaymentDesk {
  readonly #chainId: string;
  readonly #channel: (number: number) => PaidChannel;
  /** What was charged on each lane, by channel and lane. */
  readonly #charged = new Map<string, bigint>();

  constructor(chainId: string, channel: (number: number) => PaidChannel) {
    this.#chainId = chainId;
    this.#channel = channel;
  }

  /**
   * Signs a voucher for each record, then takes them one after another.
   * @throws Error when a signature is not the payer's, or a voucher does not go on where its lane is
   */
  pay(records: Uint8Array): PaymentTally {
    const start = process.threadCpuUsage();
    const signed = Array.from({ length: records.length / PAYMENT_BYTES }, (_, i) => {
      const payment = readPayment(records, i * PAYMENT_BYTES);
      const { signer, id } = this.#channel(payment.channel);
      const voucher = voucherOf(payment, id);
      return { payment, voucher, signature: signer.sign(voucherBytes(voucher, this.#chainId)) };
    });
    const middle = process.threadCpuUsage(start);
    let amount = 0n;
    for (const { payment, voucher, signature } of signed) amount += this.#take(payment, voucher, signature);
    const whole = process.threadCpuUsage(start);
    const signing = middle.user + middle.system;
    return { vouchers: signed.length, amount, signing, verifying: whole.user + whole.system - signing };
  }

  /** As the gateway does before it serves: what the voucher adds. */
  #take({ channel, lane }: Payment, voucher: VoucherContent, signature: Uint8Array): bigint {
    const { cumulative, ceiling } = voucher;
    const domain = { chainId: this.#chainId, denom: 'uopen', prefix: 'open' };
    if (!isSignedBy({ voucher, signature, form: 'plain' }, this.#channel(channel).key, { domain, verify }))
      throw new Error(`a voucher of channel ${channel} is not signed by its payer`);
    const name = `${channel}/${lane}`;
    const charged = this.#charged.get(name) ?? 0n;
    if (cumulative - ceiling !== charged)
      throw new Error(`a voucher of channel ${channel} begins at ${cumulative - ceiling}, not at ${charged}`);
    this.#charged.set(name, cumulative);
    return ceiling;
  }
}

/** What the payer says by it: no hash chain, and all that was charged before as its base. */
export function voucherOf({ lane, cumulative, ceiling, resource }: Payment, id: Uint8Array): VoucherContent {
  return { channelId: id, lane, keyVersion: 0, cumulative, ceiling, resource, hashChain: undefined };
}
