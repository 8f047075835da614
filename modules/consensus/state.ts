import { utf8 } from '../../core/bytes.ts';
import { type Item, Schema, type StateMap } from '../../framework/collections.ts';
import { bytesKey } from '../../framework/keys.ts';
import { memoized } from '../../framework/values.ts';
import { ValidatorUpdate } from '../../proto/gen/tendermint/abci/types.ts';
import { Timestamp } from '../../proto/gen/google/protobuf/timestamp.ts';
import { ConsensusParams } from '../../proto/gen/tendermint/types/params.ts';

/** Store of consensus. */
export const STORE_NAME = 'consensus';

/** Collections of consensus; the parameters lie where x/consensus has them. */
export interface ConsensusState {
  readonly params: Item<ConsensusParams>;
  /** By consensus address. */
  readonly validators: StateMap<Uint8Array, ValidatorUpdate>;
  /** Time of the last block: what queries and CheckTx take for now, also after a restart. */
  readonly lastTime: Item<Timestamp>;
}

/** Declares the collections. */
export function consensusState(): ConsensusState {
  const schema = new Schema(STORE_NAME);
  return {
    params: schema.item({ prefix: utf8('Consensus'), name: 'params', value: memoized(ConsensusParams) }),
    validators: schema.map({
      prefix: Uint8Array.of(1),
      name: 'validators',
      key: bytesKey,
      value: ValidatorUpdate,
    }),
    lastTime: schema.item({ prefix: Uint8Array.of(2), name: 'last_time', value: memoized(Timestamp) }),
  };
}
