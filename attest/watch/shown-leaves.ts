/**
 * Leaves that are longer than any proof of a fraud may be convict nobody, though they are served as they are
 * committed to. They count as not served: so they are demanded on the chain, where they are no answer either.
 */
import { SHOWN_INFLUENCE_LEAF_BYTES_MAX } from '../../modules/attribution/proof/influence/fraud.ts';
import { SHOWN_LEAF_BYTES_MAX } from '../../modules/attribution/proof/shard/fraud-format.ts';
import type { InfluenceSource } from './ports.ts';

const BYTES_MAX: Readonly<Record<'shards' | InfluenceSource['of'], number>> = {
  shards: SHOWN_LEAF_BYTES_MAX,
  cards: SHOWN_INFLUENCE_LEAF_BYTES_MAX,
  claims: SHOWN_INFLUENCE_LEAF_BYTES_MAX,
};

/** True for a leaf that the chain reads in a proof against what it is of, right or wrong. */
export function canBeShown(of: keyof typeof BYTES_MAX, leaf: Uint8Array): boolean {
  return leaf.length <= BYTES_MAX[of];
}
