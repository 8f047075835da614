import type { BlockId } from '../types/block-id.ts';

/**
 * What may happen to the round machine. The driver has found out that it happens in the current round,
 * unless the input carries a round of its own.
 */
export type RoundInput =
  /** Enter the round that the state stands at. */
  | { readonly kind: 'newRound'; readonly isProposer: boolean }
  /** A value of ours to propose. */
  | { readonly kind: 'proposeValue'; readonly blockId: BlockId }
  /** A proposal without proof of lock, whose value is known to be valid or not. */
  | { readonly kind: 'proposal'; readonly blockId: BlockId; readonly valid: boolean }
  /** A proposal with +2/3 prevotes in its `polRound`, an earlier round. */
  | {
      readonly kind: 'proposalAndPolkaPrevious';
      readonly blockId: BlockId;
      readonly polRound: number;
      readonly valid: boolean;
    }
  /** +2/3 prevotes for a valid value in this round. */
  | { readonly kind: 'polkaValue'; readonly blockId: BlockId }
  | { readonly kind: 'polkaNil' }
  | { readonly kind: 'polkaAny' }
  | { readonly kind: 'precommitAny' }
  /** +2/3 precommits for a value, in whatever round. */
  | { readonly kind: 'precommitValue'; readonly round: number; readonly blockId: BlockId }
  /** More than 1/3 of the power is in a later round. */
  | { readonly kind: 'skipRound'; readonly round: number }
  | { readonly kind: 'timeoutPropose'; readonly round: number }
  | { readonly kind: 'timeoutPrevote'; readonly round: number }
  | { readonly kind: 'timeoutPrecommit'; readonly round: number };
