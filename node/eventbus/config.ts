/** Limits of the event bus; CometBFT's `[rpc]` names in brackets. */
export interface EventBusConfig {
  /** Events kept for a subscriber that cannot take them (`experimental_subscription_buffer_size`). */
  readonly bufferMax: number;
  /** Callers that wait for the commit of a transaction at once (`max_subscription_clients`). */
  readonly waitersMax: number;
}

/** What a node starts with. */
export const DEFAULT_EVENT_BUS_CONFIG: EventBusConfig = { bufferMax: 200, waitersMax: 100 };
