import type { Address } from '../../framework/address.ts';
import { type Item, type KeySet, Schema, type Sequence, type StateMap } from '../../framework/collections.ts';
import {
  bytesKey,
  int64Key,
  type Pair,
  type PairKeyCodec,
  pairKey,
  stringKey,
  uint32Key,
  uint64Key,
} from '../../framework/keys.ts';
import { memoized, uint64Value } from '../../framework/values.ts';
import {
  Epoch,
  EpochRequest,
  Gateway,
  LaneRecord,
  Params,
  Round,
} from '../../proto/gen/openledger/settlement/v1/settlement.ts';

/** Store of settlement, and the name of its module account. */
export const STORE_NAME = 'settlement';

/** Key of a lane of a round: round, then channel and u32 lane. */
export const laneKey: PairKeyCodec<bigint, Uint8Array> = pairKey(uint64Key, bytesKey);

/** Key of the rounds of a gateway. */
export const gatewayRoundKey: PairKeyCodec<Address, bigint> = pairKey(bytesKey, uint64Key);

/** Key of a piece of an epoch: `requests.ts`. */
export const pieceKey: PairKeyCodec<bigint, Uint8Array> = pairKey(uint64Key, bytesKey);

/** Collections of settlement; the README tabulates them. */
export interface SettlementState {
  readonly params: Item<Params>;
  readonly gateways: StateMap<Address, Gateway>;
  readonly roundSequence: Sequence;
  readonly rounds: StateMap<bigint, Round>;
  readonly roundsOf: KeySet<Pair<Address, bigint>>;
  /** The round that claims of a gateway in a denomination go to. */
  readonly openRounds: StateMap<Pair<Address, string>, bigint>;
  readonly lanes: StateMap<Pair<bigint, Uint8Array>, LaneRecord>;
  readonly epochSequence: Sequence;
  readonly epochs: StateMap<bigint, Epoch>;
  /** Pending and paying ones by their final height. */
  readonly due: KeySet<Pair<bigint, bigint>>;
  /** Rounds that were paid, whose lanes are forgotten. */
  readonly sweeps: KeySet<bigint>;
  /** See `ClaimedWord`. */
  readonly claimedWords: StateMap<Pair<bigint, number>, bigint>;
  readonly requestSequence: Sequence;
  readonly requests: StateMap<bigint, EpochRequest>;
  /** Requests by their deadlines. */
  readonly deadlines: KeySet<Pair<bigint, bigint>>;
  /** The open request for a piece of an epoch. */
  readonly requestsByPiece: StateMap<Pair<bigint, Uint8Array>, bigint>;
  /** How many requests of an account are open. */
  readonly requestsOf: StateMap<Address, bigint>;
}

/** Declares the collections. */
export function settlementState(): SettlementState {
  const schema = new Schema(STORE_NAME);
  const at = (prefix: number, name: string) => ({ prefix: Uint8Array.of(prefix), name });
  return {
    params: schema.item({ ...at(0, 'params'), value: memoized(Params) }),
    gateways: schema.map({ ...at(1, 'gateways'), key: bytesKey, value: Gateway }),
    roundSequence: schema.sequence(at(2, 'round_sequence')),
    rounds: schema.map({ ...at(3, 'rounds'), key: uint64Key, value: Round }),
    roundsOf: schema.keySet({ ...at(4, 'rounds_by_gateway'), key: gatewayRoundKey }),
    openRounds: schema.map({
      ...at(5, 'open_rounds'),
      key: pairKey(bytesKey, stringKey),
      value: uint64Value,
    }),
    lanes: schema.map({ ...at(6, 'lanes'), key: laneKey, value: LaneRecord }),
    epochSequence: schema.sequence(at(7, 'epoch_sequence')),
    epochs: schema.map({ ...at(8, 'epochs'), key: uint64Key, value: Epoch }),
    due: schema.keySet({ ...at(9, 'due_epochs'), key: pairKey(int64Key, uint64Key) }),
    sweeps: schema.keySet({ ...at(10, 'sweeps'), key: uint64Key }),
    claimedWords: schema.map({
      ...at(11, 'claimed_words'),
      key: pairKey(uint64Key, uint32Key),
      value: uint64Value,
    }),
    requestSequence: schema.sequence(at(12, 'request_sequence')),
    requests: schema.map({ ...at(13, 'requests'), key: uint64Key, value: EpochRequest }),
    deadlines: schema.keySet({ ...at(14, 'request_deadlines'), key: pairKey(int64Key, uint64Key) }),
    requestsByPiece: schema.map({ ...at(15, 'requests_by_piece'), key: pieceKey, value: uint64Value }),
    requestsOf: schema.map({ ...at(16, 'requests_by_account'), key: bytesKey, value: uint64Value }),
  };
}
