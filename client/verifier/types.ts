/** Shapes of what `verify-payout.ts` reads and says: nothing here runs. All bytes are small hexadecimal digits. */

/** A pair of a store and what leads from it upwards; all bytes in a bundle are small hexadecimal digits. */
export interface ProvedPair {
  readonly key: string;
  readonly value: string;
  readonly prefix: string;
  /** From the leaf: the parent is SHA-256(prefix ‖ child ‖ suffix). */
  readonly path: readonly (readonly string[])[];
}

/** A row that is there, or the neighbours of one that is not. */
export interface ProvedRow {
  readonly key: string;
  readonly found: ProvedPair | null;
  readonly left: ProvedPair | null;
  readonly right: ProvedPair | null;
}

/** Rows of one store of a state. */
export interface ProvedStore {
  readonly name: string;
  readonly root: string;
  readonly path: readonly (readonly string[])[];
  readonly rows: readonly ProvedRow[];
}

/** A header's 14 fields as they are hashed, and rows of the state that it has the app hash of. */
export interface ProvedState {
  readonly header: readonly string[];
  readonly stores: readonly ProvedStore[];
}

/** What is to be derived: what a slot was paid in the last state's block, or a receipt. */
export interface Target {
  readonly kind: 'claim' | 'receipt';
  /** Of a receipt; empty for a claim. */
  readonly receipt: string;
  /** Kind and subject, slot, denomination, ids of the credits in it; empty for a receipt. */
  readonly pool: readonly string[];
  readonly slot: string;
  readonly denom: string;
  readonly credits: readonly string[];
}

/** Neighbouring leaves of a tree of an epoch, and what leads from them to its root. */
export interface Run {
  readonly from: number;
  readonly leaves: readonly string[];
  readonly siblings: string;
}

/** What is shown of an epoch's row. */
export interface EpochPart {
  readonly epoch: string;
  readonly row: number;
  readonly allocations: readonly Run[];
  readonly receipts: readonly Run[];
  readonly entitlements: readonly Run[];
}

/** Everything that a verifier needs besides a trusted block hash. */
export interface Bundle {
  readonly form: string;
  readonly states: readonly ProvedState[];
  readonly targets: readonly Target[];
  /** Claims of attribution, with their quotations. */
  readonly claims: readonly string[];
  readonly epochs: readonly EpochPart[];
  /** Attributions that receipts of epochs name by their hash. */
  readonly attributions: readonly string[];
}

/** A block that the user trusts, from a light client or from whom else they believe. */
export interface TrustedBlock {
  readonly height: bigint;
  /** Block hash, hexadecimal. */
  readonly hash: string;
}

/** A row by height of its state, store and key in hexadecimal. */
export interface RowName {
  readonly height: bigint;
  readonly store: string;
  readonly key: string;
}

/** A span of a contribution that an answer quotes. */
export interface QuotedText {
  readonly contribution: bigint;
  readonly contributor: string;
  readonly answerOffset: bigint;
  readonly sourceOffset: bigint;
  readonly length: number;
  /** The bytes as UTF-8 where they are that, else in hexadecimal. */
  readonly text: string;
}

/** What a claim of attribution gives whom. */
export interface DerivedClaim {
  readonly id: bigint;
  readonly total: bigint;
  readonly unattributed: bigint;
  readonly shares: readonly { readonly contribution: bigint; readonly weight: bigint }[];
  /** Those of quoted spans; the weights of other parts are the chain's record. */
  readonly quotes: readonly QuotedText[];
}

/** A payout of a receipt. */
export interface DerivedPayout {
  readonly party: string;
  readonly amount: bigint;
  readonly recipient: string;
  readonly contribution: bigint;
  readonly datanet: bigint;
  /** The first so many of its log share it: those of the model's snapshot. 0 without a Datanet. */
  readonly positions: bigint;
}

/** One inference that was paid by itself. */
export interface DerivedReceipt {
  readonly id: bigint;
  readonly height: bigint;
  readonly tx: string;
  readonly payer: string;
  readonly model: bigint;
  readonly tokensIn: bigint;
  readonly tokensOut: bigint;
  readonly denom: string;
  readonly fee: bigint;
  readonly parts: Parts;
  readonly payouts: readonly DerivedPayout[];
  readonly claim: DerivedClaim | null;
}

/** An amount of an epoch and the receipt that it is of. */
export interface DerivedAllocation {
  readonly number: number;
  readonly amount: bigint;
  readonly channel: string;
  readonly lane: number;
  /** What the lane was charged before this receipt, whose fee comes on top. */
  readonly before: bigint;
  readonly model: bigint;
  readonly tokensIn: bigint;
  readonly tokensOut: bigint;
  readonly fee: bigint;
  readonly parts: Parts;
  readonly claim: DerivedClaim | null;
}

/** A row of an epoch. */
export interface DerivedEpoch {
  readonly id: bigint;
  readonly row: number;
  /** Kind, id, level and index, of 1, 8, 1 and 4 bytes, in hexadecimal. */
  readonly place: string;
  readonly gateway: string;
  readonly amount: bigint;
  /** Allocations that the row is the sum of, and those of them that are shown. */
  readonly count: number;
  readonly shown: readonly DerivedAllocation[];
}

/** One payment to a node over a slot, and what the slot got of it. */
export interface DerivedCredit {
  readonly id: bigint;
  readonly height: bigint;
  readonly amount: bigint;
  /** In 1/2^64 of the base unit. */
  readonly share: bigint;
  readonly receipt: DerivedReceipt | null;
  readonly epoch: DerivedEpoch | null;
}

/** What a slot was paid in one block. */
export interface DerivedClaimPayout {
  readonly kind: 'claim';
  readonly height: bigint;
  readonly pool: string;
  readonly slot: bigint;
  readonly owner: string;
  readonly denom: string;
  readonly amount: bigint;
  readonly weight: bigint;
  /** Fractions from before and for later, in 1/2^64 of the base unit. */
  readonly carried: bigint;
  readonly left: bigint;
  readonly credits: readonly DerivedCredit[];
}

/** What a derivation reads. @throws what it finds fit when something is not shown */
export interface Evidence {
  /** Of the last state. */
  readonly height: bigint;
  /** A row's value; empty where it is shown that there is none. */
  row(name: RowName): Uint8Array;
  /** A claim of attribution by its number and the SHA-256 of its bytes, hexadecimal. */
  claim(id: bigint, hash: string): Uint8Array;
  /** By its SHA-256, hexadecimal. */
  attribution(hash: string): Uint8Array;
  epochPart(id: bigint, row: number): EpochPart;
}

/** The parts of a fee. */
export type Parts = Readonly<Record<'platform' | 'model' | 'stakers' | 'contributors', bigint>>;

/** What was derived. */
export type Derived = DerivedClaimPayout | { readonly kind: 'receipt'; readonly receipt: DerivedReceipt };
