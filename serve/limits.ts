/** Bounds of a server: whatever arrives, it does no more than this at a time. */

/** Named bounds; every one of them is refused with a sentence and counted. */
export interface ServerLimits {
  /** Longest body of a request. */
  readonly bodyBytesMax: number;
  readonly uriLengthMax: number;
  readonly connectionsMax: number;
  /** Of them, those of one address (IPv6: of one /64). Behind a proxy all come from its address. */
  readonly connectionsPerAddressMax: number;
  /** How long a connection without a request stays open. */
  readonly idleMs: number;
  /** A request has to have arrived, and an answer to have been made, within this time. */
  readonly requestMs: number;
  /** For making an answer, where it is not `requestMs`. */
  readonly answerMs?: number;
  /** An answer has to be taken within this time, and what its bytes need at the least rate. */
  readonly sendMs: number;
  readonly sendBytesPerSecondMin: number;
  /** Bytes of answers that are not taken yet; large ones are told to come again. */
  readonly unsentBytesMax: number;
  readonly unsentBytesPerAddressMax: number;
}

/** Of a server without wishes. */
export const SERVER_LIMITS: ServerLimits = {
  bodyBytesMax: 1 << 20,
  uriLengthMax: 1024,
  connectionsMax: 256,
  connectionsPerAddressMax: 32,
  idleMs: 5_000,
  requestMs: 20_000,
  sendMs: 10_000,
  sendBytesPerSecondMin: 1 << 15,
  unsentBytesMax: 1 << 26,
  unsentBytesPerAddressMax: 1 << 24,
};
