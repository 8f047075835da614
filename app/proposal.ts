import { uvarintLength } from '../core/varint.ts';
import { latin1 } from '../framework/address.ts';
import type { DecodedTx } from '../framework/tx/decode.ts';

/** Room of a block. */
export interface BlockRoom {
  /** Bytes of all transactions as the block's data encodes them. */
  readonly bytesMax: bigint;
  /** Sum of gas limits; 0 or less for no limit. */
  readonly gasMax: bigint;
}

/** Decodes a transaction; undefined when it is none. */
export type TxReader = (bytes: Uint8Array) => DecodedTx | undefined;

/**
 * The transactions that fit, in their order. One that is too large for what is left is passed over, as are
 * those that depend on it: later ones of the same signers, unless they are unordered.
 */
export function selectTransactions(
  txs: readonly Uint8Array[],
  room: BlockRoom,
  read: TxReader,
): readonly Uint8Array[] {
  const selected: Uint8Array[] = [];
  const passedOver = new Set<string>();
  let bytesLeft = room.bytesMax;
  let gasLeft = room.gasMax > 0n ? room.gasMax : undefined;
  for (const bytes of txs) {
    const tx = read(bytes);
    if (tx === undefined) continue;
    const size = encodedBytes(bytes.length);
    const signers = tx.unordered ? [] : tx.required.map(latin1);
    const fits = size <= bytesLeft && (gasLeft === undefined || tx.fee.gasLimit <= gasLeft);
    if (!fits || signers.some((signer) => passedOver.has(signer))) {
      for (const signer of signers) passedOver.add(signer);
      continue;
    }
    selected.push(bytes);
    bytesLeft -= size;
    if (gasLeft !== undefined) gasLeft -= tx.fee.gasLimit;
  }
  return selected;
}

/** True when every entry is a transaction and their gas limits fit the block. */
export function acceptsTransactions(txs: readonly Uint8Array[], gasMax: bigint, read: TxReader): boolean {
  let gas = 0n;
  for (const bytes of txs) {
    const tx = read(bytes);
    if (tx === undefined) return false;
    gas += tx.fee.gasLimit;
    if (gasMax > 0n && gas > gasMax) return false;
  }
  return true;
}

/** Bytes of a transaction in `tendermint.types.Data`: field tag, length, content. */
function encodedBytes(length: number): bigint {
  return BigInt(1 + uvarintLength(length) + length);
}
