import { attribute, type Event, eventOf } from '../../framework/events.ts';

/** What became of an allowance. */
export type GrantEvent = 'set_feegrant' | 'use_feegrant' | 'update_feegrant' | 'revoke_feegrant';

/** An allowance between two accounts, as text. */
export interface GrantParties {
  readonly granter: string;
  readonly grantee: string;
}

/** An allowance was made, used, changed or taken back. */
export function grantEvent(type: GrantEvent, { granter, grantee }: GrantParties): Event {
  return eventOf(type, attribute('granter', granter), attribute('grantee', grantee));
}

/** Someone paid for removing what has expired. */
export function pruned(pruner: string): Event {
  return eventOf('prune_feegrant', attribute('pruner', pruner));
}
