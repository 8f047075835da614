import { latin1 } from '../address.ts';
import { sha256 } from '../../core/hash.ts';
import { BoundedMap } from '../bounded-map.ts';
import { type DecodedTx, decodeTx, type TxDecoderPorts } from './decode.ts';

/**
 * Decodes each transaction once between its arrival, the proposal and the block. Failures are not
 * remembered.
 */
export class TxCache {
  readonly #ports: TxDecoderPorts;
  readonly #byHash: BoundedMap<string, DecodedTx>;

  /** @param transactionsMax most transactions held */
  constructor(ports: TxDecoderPorts, transactionsMax: number) {
    this.#ports = ports;
    this.#byHash = new BoundedMap(transactionsMax);
  }

  /** @throws StateError as `decodeTx` */
  decode(bytes: Uint8Array): DecodedTx {
    const hash = sha256(bytes);
    const key = latin1(hash);
    const known = this.#byHash.get(key);
    if (known !== undefined) return known;
    // A copy: the caller's array may be a small part of a large buffer, which a view would keep.
    const tx = decodeTx(Uint8Array.from(bytes), hash, this.#ports);
    this.#byHash.set(key, tx);
    return tx;
  }
}
