import { type Event, typedEvent } from '../../framework/events.ts';
import { EventGrant, EventRevoke } from '../../proto/gen/cosmos/authz/v1beta1/event.ts';

/** An authorization was given. */
export function granted(grant: EventGrant): Event {
  return typedEvent(EventGrant, grant);
}

/** An authorization was taken back, or is used up. */
export function revoked(grant: EventRevoke): Event {
  return typedEvent(EventRevoke, grant);
}
