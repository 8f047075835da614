import { type Item, type KeySet, Schema, type Sequence, type StateMap } from '../../framework/collections.ts';
import { type Pair, type PairKeyCodec, pairKey, uint64Key } from '../../framework/keys.ts';
import { memoized } from '../../framework/values.ts';
import { ClaimRecord, Params } from '../../proto/gen/openledger/attribution/v1/attribution.ts';

/** Store of attribution. */
export const STORE_NAME = 'attribution';

/** Key of the index of claims that pay a contribution: contribution, claim. */
export const contributionClaimKey: PairKeyCodec<bigint, bigint> = pairKey(uint64Key, uint64Key);

/** Collections of attribution; the README tabulates them. */
export interface AttributionState {
  readonly params: Item<Params>;
  readonly sequence: Sequence;
  readonly claims: StateMap<bigint, ClaimRecord>;
  readonly byContribution: KeySet<Pair<bigint, bigint>>;
}

/** Declares the collections. */
export function attributionState(): AttributionState {
  const schema = new Schema(STORE_NAME);
  return {
    params: schema.item({ prefix: Uint8Array.of(0), name: 'params', value: memoized(Params) }),
    sequence: schema.sequence({ prefix: Uint8Array.of(1), name: 'sequence' }),
    claims: schema.map({ prefix: Uint8Array.of(2), name: 'claims', key: uint64Key, value: ClaimRecord }),
    byContribution: schema.keySet({
      prefix: Uint8Array.of(3),
      name: 'claims_by_contribution',
      key: contributionClaimKey,
    }),
  };
}
