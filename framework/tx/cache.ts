import { copyBytes } from '../../core/bytes.ts';
import { isCopyOfTx, txHash, txHashText } from '../../core/tx-hash.ts';
import { type DecodedTx, decodeTx, type TxDecoderPorts } from './decode.ts';

/** What a decoded transaction takes beside its bytes, measured with a MsgSend: its objects. */
const DECODED_OBJECTS_BYTES = 3_000;
/** How often decoding keeps the bytes: the transaction, of which its parts are views, and what was signed. */
const KEPT_COPIES = 2;

/**
 * Decodes each transaction once between its arrival, the proposal and the block. Failures are not
 * remembered. What a block holds is forgotten with its commit, so that the cache holds what waits. When it is
 * full, what came first goes first: a recheck asks for all that waits in turn, and an order of use would lose
 * each entry just before it is asked for.
 */
export class TxCache {
  readonly #ports: TxDecoderPorts;
  readonly #bytesMax: number;
  readonly #byHash = new Map<string, DecodedTx>();
  #bytes = 0;

  /** @param bytesMax most memory held, but for one transaction; enough for what a full mempool holds */
  constructor(ports: TxDecoderPorts, bytesMax: number) {
    this.#ports = ports;
    this.#bytesMax = bytesMax;
  }

  /** @throws StateError as `decodeTx` */
  decode(bytes: Uint8Array): DecodedTx {
    const key = txHashText(bytes);
    const known = this.#byHash.get(key);
    if (known !== undefined) return known;
    // A copy: the caller's array may be a small part of a large buffer, which a view would keep.
    const copy = copyBytes(bytes, 0, bytes.length);
    isCopyOfTx(copy, bytes);
    const tx = decodeTx(copy, txHash(bytes), this.#ports);
    this.#bytes += heldBytes(tx);
    this.#makeRoom();
    this.#byHash.set(key, tx);
    return tx;
  }

  /** Memory held, as it is counted against the limit. */
  get heldBytes(): number {
    return this.#bytes;
  }

  /** Forgets a transaction that nobody will ask for again: its block is committed. */
  forget(tx: DecodedTx): void {
    const key = txHashText(tx.bytes);
    const known = this.#byHash.get(key);
    if (known === undefined) return;
    this.#byHash.delete(key);
    this.#bytes -= heldBytes(known);
  }

  #makeRoom(): void {
    for (const [key, oldest] of this.#byHash) {
      if (this.#bytes <= this.#bytesMax) return;
      this.#byHash.delete(key);
      this.#bytes -= heldBytes(oldest);
    }
  }
}

function heldBytes({ bytes }: DecodedTx): number {
  return DECODED_OBJECTS_BYTES + KEPT_COPIES * bytes.length;
}
