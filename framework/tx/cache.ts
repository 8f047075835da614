import { latin1 } from '../address.ts';
import { sha256 } from '../../core/hash.ts';
import { BoundedMap } from '../bounded-map.ts';
import { type DecodedTx, decodeTx, type TxDecoderPorts } from './decode.ts';

/**
 * Decodes each transaction once between its arrival, the proposal and the block. A transaction is found by
 * its array while the caller still has that, else by its hash. Failures are not remembered.
 */
export class TxCache {
  readonly #ports: TxDecoderPorts;
  readonly #byHash: BoundedMap<string, DecodedTx>;
  readonly #byArray = new WeakMap<Uint8Array, DecodedTx>();

  /** @param transactionsMax most transactions held */
  constructor(ports: TxDecoderPorts, transactionsMax: number) {
    this.#ports = ports;
    this.#byHash = new BoundedMap(transactionsMax);
  }

  /** @throws StateError as `decodeTx` */
  decode(bytes: Uint8Array): DecodedTx {
    const same = this.#byArray.get(bytes);
    if (same !== undefined) return same;
    const hash = latin1(sha256(bytes));
    const tx = this.#byHash.get(hash) ?? decodeTx(bytes, this.#ports);
    this.#byHash.set(hash, tx);
    this.#byArray.set(bytes, tx);
    return tx;
  }
}
