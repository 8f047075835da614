/** A way in: a peer, our own RPC, or all peers that have left together. */
export interface Origin {
  readonly name: string | undefined;
  /** Transactions in the pool that came over it. */
  count: number;
}

/** One sender's transactions, in their order. */
export interface Lane {
  readonly signer: string;
  last: Link | undefined;
  count: number;
  bytes: number;
}

/** The place of a transaction in the lane of one of its senders. */
export interface Link {
  readonly lane: Lane;
  readonly held: HeldTx;
  before: Link | undefined;
  after: Link | undefined;
}

/** A transaction as it comes into the pool. */
export interface NewTx {
  readonly key: string;
  readonly tx: Uint8Array;
  readonly gasWanted: bigint;
  readonly signers: readonly string[];
  /** See `TxReport`. */
  readonly price: bigint;
  /** The peer it came from; undefined when it was submitted here. */
  readonly from: string | undefined;
  /** Every peer that is known to have it; grows. */
  readonly senders: string[];
  /** How many blocks were committed here before it came, and when that was: for its age. */
  readonly sinceBlock: number;
  readonly sinceMs: number;
}

/** A transaction in the pool. */
export interface HeldTx extends NewTx {
  /** Grows with each transaction. */
  readonly order: number;
  links: readonly Link[];
  origin: Origin;
  isHeld: boolean;
  /** Chosen for eviction, while it is not yet clear that enough others are. */
  isLeaving: boolean;
  /** It is in a heap of the eviction order. */
  isRanked: boolean;
  rankPrice: bigint;
  position: number;
}
