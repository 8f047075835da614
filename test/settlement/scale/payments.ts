/**
 * What is signed for one inference: a voucher that the payer signs and the gateway verifies, as
 * `client/vouchers` does, and whose base is what the gateway charged on the lane before; a receipt that the
 * gateway signs and the payer holds against what it asked for. They travel as records:
 *
 * | bytes | what                                     |
 * | ----- | ---------------------------------------- |
 * | 4, 4  | number of the channel, lane              |
 * | 8, 8  | cumulative, ceiling, in base units       |
 * | 8     | model that was asked for                 |
 * | 32    | resource: the hash of the request        |
 * | 195   | receipt: modules/settlement/proof/leaves |
 */
import { sha256 } from '../../../core/hash.ts';
import { problemOfReceipt, receiptStatement } from '../../../client/receipts.ts';
import { isSignedBy, type VerifySignature } from '../../../client/vouchers/signatures.ts';
import { type VoucherContent, voucherBytes } from '../../../modules/channels/format/voucher.ts';
import { RECEIPT_BYTES } from '../../../modules/settlement/proof/leaves.ts';
import { verifyEd25519 } from '../../../node/crypto/ed25519.ts';
import { verifySecp256k1 } from '../../../node/crypto/secp256k1.ts';
import { KeyKind, type SigningKey } from '../../../proto/gen/openledger/channels/v1/channels.ts';
import { accountSigner, sessionSigner, type TestSigner } from '../../support/channels.ts';
import { testAccount } from '../../support/test-chain.ts';

const RECEIPT_AT = 64;
/** Bytes of a record. */
export const RECORD_BYTES: number = RECEIPT_AT + RECEIPT_BYTES;
/** One payer in so many has an ed25519 session key, the others secp256k1, whose native checks are faster. */
const ED25519_EVERY = 25;

/** What is paid by a voucher. */
export interface Payment {
  /** Number of the channel. */
  readonly channel: number;
  readonly lane: number;
  readonly cumulative: bigint;
  readonly ceiling: bigint;
  readonly modelId: bigint;
  /** 32 bytes. */
  readonly resource: Uint8Array;
}

/** A payment, and what the gateway gives for it. */
export interface PaidInference extends Payment {
  /** The leaf. */
  readonly receipt: Uint8Array;
}

/** Who is on the other end of all channels. */
export interface PaidGateway {
  readonly chainId: string;
  /** Its address. */
  readonly gateway: string;
  /** One receipt in so many is signed and checked; every voucher is. */
  readonly receiptsEvery: number;
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
  readonly receipts: number;
  readonly receiptSigning: number;
  readonly receiptChecking: number;
}

/** Of nothing. */
export const NO_PAYMENTS: PaymentTally = {
  vouchers: 0,
  amount: 0n,
  signing: 0,
  verifying: 0,
  receipts: 0,
  receiptSigning: 0,
  receiptChecking: 0,
};

/** The sum of two. */
export function addTallies(a: PaymentTally, b: PaymentTally): PaymentTally {
  return {
    vouchers: a.vouchers + b.vouchers,
    amount: a.amount + b.amount,
    signing: a.signing + b.signing,
    verifying: a.verifying + b.verifying,
    receipts: a.receipts + b.receipts,
    receiptSigning: a.receiptSigning + b.receiptSigning,
    receiptChecking: a.receiptChecking + b.receiptChecking,
  };
}

/** The key that the gateway signs receipts with. */
export function receiptSigner(): TestSigner {
  return sessionSigner('receipts');
}

/** The key of a payer's session, by the number of its channel. */
export function payerSigner(channel: number): TestSigner {
  const name = `payer ${channel}`;
  return channel % ED25519_EVERY === 0 ? sessionSigner(name) : accountSigner(testAccount(name));
}

/** Writes a record. */
export function writeInference(inference: PaidInference, into: Uint8Array, offset: number): void {
  const view = new DataView(into.buffer, into.byteOffset + offset, RECORD_BYTES);
  view.setUint32(0, inference.channel);
  view.setUint32(4, inference.lane);
  view.setBigUint64(8, inference.cumulative);
  view.setBigUint64(16, inference.ceiling);
  view.setBigUint64(24, inference.modelId);
  into.set(inference.resource, offset + 32);
  into.set(inference.receipt, offset + RECEIPT_AT);
}

function readInference(from: Uint8Array, offset: number): PaidInference {
  const view = new DataView(from.buffer, from.byteOffset + offset, RECORD_BYTES);
  return {
    channel: view.getUint32(0),
    lane: view.getUint32(4),
    cumulative: view.getBigUint64(8),
    ceiling: view.getBigUint64(16),
    modelId: view.getBigUint64(24),
    resource: from.subarray(offset + 32, offset + RECEIPT_AT),
    receipt: from.subarray(offset + RECEIPT_AT, offset + RECORD_BYTES),
  };
}

const verify: VerifySignature = ({ kind, key }, message, signature) =>
  kind === KeyKind.KEY_KIND_ED25519
    ? verifyEd25519(key, message, signature)
    : verifySecp256k1(key, sha256(message), signature);

/** As the gateway has registered it. */
const RECEIPT_KEY = receiptSigner().key.key;

/** Some channels: their payers, and what the gateway knows of them. */
export class PaymentDesk {
  readonly #gateway: PaidGateway;
  readonly #channel: (number: number) => PaidChannel;
  readonly #receiptSigner: TestSigner;
  /** What was charged on each lane, by channel and lane. */
  readonly #charged = new Map<string, bigint>();
  #served = 0;

  constructor(
    gateway: PaidGateway,
    channel: (number: number) => PaidChannel,
    signer: TestSigner = receiptSigner(),
  ) {
    this.#gateway = gateway;
    this.#channel = channel;
    this.#receiptSigner = signer;
  }

  /**
   * Signs a voucher for each record, then takes them one after another; signs receipts, then checks them.
   * @throws Error when a signature is not the payer's, a voucher does not go on where its lane is, or a receipt
   * is not what the payer asked for and was charged
   */
  pay(records: Uint8Array): PaymentTally {
    const lap = processorLaps();
    const inferences = Array.from({ length: records.length / RECORD_BYTES }, (_, i) =>
      readInference(records, i * RECORD_BYTES),
    );
    const { chainId, gateway, receiptsEvery } = this.#gateway;
    const signed = inferences.map((payment) => {
      const { signer, id } = this.#channel(payment.channel);
      const voucher = voucherOf(payment, id);
      return { payment, voucher, signature: signer.sign(voucherBytes(voucher, chainId)) };
    });
    const signing = lap();
    let amount = 0n;
    for (const { payment, voucher, signature } of signed) amount += this.#take(payment, voucher, signature);
    const verifying = lap();
    const receipts = inferences
      .filter(() => this.#served++ % receiptsEvery === 0)
      .map((inference) => {
        const statement = receiptStatement(chainId, gateway, inference.receipt);
        return { inference, signature: this.#receiptSigner.sign(statement) };
      });
    const receiptSigning = lap();
    for (const { inference, signature } of receipts) this.#check(inference, signature);
    const receiptChecking = lap();
    const counts = { vouchers: signed.length, amount, receipts: receipts.length };
    return { ...counts, signing, verifying, receiptSigning, receiptChecking };
  }

  /** As the gateway does before it serves: what the voucher adds. */
  #take({ channel, lane }: Payment, voucher: VoucherContent, signature: Uint8Array): bigint {
    const { cumulative, ceiling } = voucher;
    const domain = { chainId: this.#gateway.chainId, denom: 'uopen', prefix: 'open' };
    if (!isSignedBy({ voucher, signature, form: 'plain' }, this.#channel(channel).key, { domain, verify }))
      throw new Error(`a voucher of channel ${channel} is not signed by its payer`);
    const name = `${channel}/${lane}`;
    const charged = this.#charged.get(name) ?? 0n;
    if (cumulative - ceiling !== charged)
      throw new Error(`a voucher of channel ${channel} begins at ${cumulative - ceiling}, not at ${charged}`);
    this.#charged.set(name, cumulative);
    return ceiling;
  }

  /** As the payer does with each answer. */
  #check(inference: PaidInference, signature: Uint8Array): void {
    const { channel, lane, cumulative, ceiling, modelId, resource, receipt } = inference;
    const { chainId, gateway } = this.#gateway;
    const problem = problemOfReceipt(
      { receipt, signature },
      {
        chainId,
        gateway,
        receiptKey: RECEIPT_KEY,
        verify: verifyEd25519,
        channel: this.#channel(channel).id,
        lane,
        before: cumulative - ceiling,
        after: cumulative,
        modelId,
        requestHash: resource,
      },
    );
    if (problem !== undefined) throw new Error(`payer ${channel}: ${problem}`);
  }
}

/** Microseconds of this thread's processor time since the call before. */
function processorLaps(): () => number {
  let last = process.threadCpuUsage();
  return () => {
    const { user, system } = process.threadCpuUsage(last);
    last = process.threadCpuUsage();
    return user + system;
  };
}

/** What the payer says by it: no hash chain, and all that was charged before as its base. */
export function voucherOf({ lane, cumulative, ceiling, resource }: Payment, id: Uint8Array): VoucherContent {
  return { channelId: id, lane, keyVersion: 0, cumulative, ceiling, resource, hashChain: undefined };
}
