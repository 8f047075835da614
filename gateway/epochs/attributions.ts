/** Attributions by their hashes, decoded once as long as they are remembered. */
import { equalBytes, toHex } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import {
  type Attribution,
  decodeAttribution,
  NO_ATTRIBUTION,
} from '../../modules/settlement/proof/attribution.ts';
import type { Receipt } from '../../modules/settlement/proof/leaves.ts';
import { NotServedError, type PublishedEpoch } from './published.ts';

/** Attributions that are remembered. Answers repeat; where they do not, memory does not grow with receipts. */
const REMEMBERED = 16_384;

/** See the file comment. */
export class Attributions {
  readonly #served: PublishedEpoch['attribution'];
  readonly #known = new Map<string, Attribution | 'malformed'>();

  readonly #held = new WeakMap<Attribution, Map<bigint, boolean>>();

  constructor(served: PublishedEpoch['attribution']) {
    this.#served = served;
  }

  /**
   * Undefined when the receipt names none.
   * @throws NotServedError when its bytes are not there
   */
  of({ attribution: hash }: Pick<Receipt, 'attribution'>): Attribution | 'malformed' | undefined {
    if (equalBytes(hash, NO_ATTRIBUTION)) return undefined;
    const key = toHex(hash);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const bytes = this.#served(hash);
    if (bytes === undefined || !equalBytes(sha256(bytes), hash))
      throw new NotServedError('an attribution', { hash: key });
    const decoded = decodeAttribution(bytes) ?? 'malformed';
    if (this.#known.size === REMEMBERED) this.#known.clear();
    this.#known.set(key, decoded);
    return decoded;
  }

  /** What was found out before of an attribution for a model, as long as it is remembered. */
  held(attribution: Attribution, modelId: bigint, judge: () => boolean): boolean {
    const models = this.#held.get(attribution) ?? new Map<bigint, boolean>();
    this.#held.set(attribution, models);
    const holds = models.get(modelId) ?? judge();
    models.set(modelId, holds);
    return holds;
  }
}
