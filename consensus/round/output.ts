import type { BlockId } from '../types/block-id.ts';
import type { VoteType } from '../types/vote.ts';

/** What a transition of the round machine wants done, in the round that it leads to or stays in. */
export type RoundOutput =
  | { readonly kind: 'getValue' }
  | { readonly kind: 'propose'; readonly blockId: BlockId; readonly polRound: number }
  | { readonly kind: 'vote'; readonly type: VoteType; readonly blockId: BlockId }
  | { readonly kind: 'scheduleTimeout'; readonly timeout: 'propose' | 'prevote' | 'precommit' }
  | { readonly kind: 'decide'; readonly round: number; readonly blockId: BlockId };
