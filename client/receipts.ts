/** Receipts of gateways: what a payer gets with each answer, and by which it can convict. docs/adr/0030. */
import { equalBytes } from '../core/bytes.ts';
import { decodeReceipt, type Receipt } from '../modules/settlement/proof/leaves.ts';
import { receiptStatement } from '../modules/settlement/proof/receipt-statement.ts';

export { decodeReceipt, encodeReceipt, type Receipt } from '../modules/settlement/proof/leaves.ts';
export { receiptStatement };

/** A receipt as it travels. */
export interface SignedReceipt {
  /** 195 bytes: modules/settlement/proof/leaves.ts. */
  readonly receipt: Uint8Array;
  /** 64 bytes, of the gateway's receipt key over `receiptStatement`. */
  readonly signature: Uint8Array;
}

/** What a payer asked for and was charged. */
export interface ExpectedReceipt {
  readonly chainId: string;
  /** The gateway's address and the key that it is registered with. */
  readonly gateway: string;
  readonly receiptKey: Uint8Array;
  /** ed25519. */
  readonly verify: (key: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean;
  readonly channel: Uint8Array;
  readonly lane: number;
  /** What the lane was charged in all before, and is now. */
  readonly before: bigint;
  readonly after: bigint;
  readonly modelId: bigint;
  readonly requestHash: Uint8Array;
}

/**
 * What is wrong with a receipt, as a sentence; undefined for a good one. A payer that keeps good receipts can
 * convict an epoch in which one stands otherwise. Whether the price is right is seen from the model's terms.
 */
export function problemOfReceipt(
  { receipt: leaf, signature }: SignedReceipt,
  expected: ExpectedReceipt,
): string | undefined {
  const receipt = decodeReceipt(leaf);
  if (receipt === undefined) return 'the receipt is malformed';
  const wrong = wrongField(receipt, expected);
  if (wrong !== undefined) return `the receipt states another ${wrong}`;
  const statement = receiptStatement(expected.chainId, expected.gateway, leaf);
  return expected.verify(expected.receiptKey, statement, signature)
    ? undefined
    : 'the signature is not by the key of the gateway';
}

function wrongField(receipt: Receipt, expected: ExpectedReceipt): string | undefined {
  if (!equalBytes(receipt.channel, expected.channel)) return 'channel';
  if (receipt.lane !== expected.lane) return 'lane';
  if (receipt.before !== expected.before || receipt.after !== expected.after) return 'charge';
  if (receipt.modelId !== expected.modelId) return 'model';
  return equalBytes(receipt.requestHash, expected.requestHash) ? undefined : 'request';
}
