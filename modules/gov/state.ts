import { type Item, Schema, type Sequence, type StateMap } from '../../framework/collections.ts';
import type { Address } from '../../framework/address.ts';
import type { Timestamp } from '../../framework/context.ts';
import {
  addressKey,
  type Pair,
  type PairKeyCodec,
  pairKey,
  timeKey,
  uint64Key,
} from '../../framework/keys.ts';
import { bytesValue, memoized, stringValue, uint64Value } from '../../framework/values.ts';
import { Deposit, Params, Proposal, Vote } from '../../proto/gen/cosmos/gov/v1/gov.ts';

/** Store of governance, and its module account. */
export const STORE_NAME = 'gov';

/** A proposal, then an account behind its length. */
export const byProposalKey: PairKeyCodec<bigint, Address> = pairKey(uint64Key, addressKey);

/** By end of a period, then by proposal. */
export type ProposalQueue = StateMap<Pair<Timestamp, bigint>, bigint>;

/** Collections of governance, at the SDK's prefixes (x/gov/types/keys.go). */
export interface GovState {
  readonly proposals: StateMap<bigint, Proposal>;
  /** Those that are voted on, by the end of the voting period. */
  readonly activeQueue: ProposalQueue;
  /** Those that lack deposits, by the end of the deposit period. */
  readonly inactiveQueue: ProposalQueue;
  /** The next proposal's number. */
  readonly proposalId: Sequence;
  /** Those that are voted on; the value is a single 1. */
  readonly votingPeriod: StateMap<bigint, Uint8Array>;
  /** By proposal, depositor. */
  readonly deposits: StateMap<Pair<bigint, Address>, Deposit>;
  /** By proposal, voter. */
  readonly votes: StateMap<Pair<bigint, Address>, Vote>;
  readonly params: Item<Params>;
  readonly constitution: Item<string>;
}

/** Declares the collections. */
export function govState(): GovState {
  const schema = new Schema(STORE_NAME);
  const at = (byte: number, name: string): { readonly prefix: Uint8Array; readonly name: string } => ({
    prefix: Uint8Array.of(byte),
    name,
  });
  const queueKey = pairKey(timeKey, uint64Key);
  return {
    proposals: schema.map({ ...at(0, 'proposals'), key: uint64Key, value: Proposal }),
    activeQueue: schema.map({ ...at(1, 'active_proposals_queue'), key: queueKey, value: uint64Value }),
    inactiveQueue: schema.map({ ...at(2, 'inactive_proposals_queue'), key: queueKey, value: uint64Value }),
    proposalId: schema.sequence(at(3, 'proposal_id')),
    votingPeriod: schema.map({ ...at(4, 'voting_period_proposals'), key: uint64Key, value: bytesValue }),
    deposits: schema.map({ ...at(16, 'deposits'), key: byProposalKey, value: Deposit }),
    votes: schema.map({ ...at(32, 'votes'), key: byProposalKey, value: Vote }),
    params: schema.item({ ...at(48, 'params'), value: memoized(Params) }),
    constitution: schema.item({ ...at(49, 'constitution'), value: stringValue }),
  };
}
