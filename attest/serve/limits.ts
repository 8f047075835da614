/** Bounds of a server of attributions: whatever arrives, it does no more than this at a time. */

/** Named bounds; every one of them is refused with a sentence and counted. */
export interface ServeLimits {
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
  /** Attributions that are made at the same time. */
  readonly attributionsMax: number;
  /** Attributions that wait for their turn; the next one is told to come again. */
  readonly waitingMax: number;
  /** Leaves or nodes in one answer. */
  readonly piecesMax: number;
}

/** For one core: an attribution of tokens takes some 5 ms of it, and waits for the chain as long. */
export const SERVE_LIMITS: ServeLimits = {
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
  attributionsMax: 4,
  waitingMax: 64,
  piecesMax: 1024,
};
