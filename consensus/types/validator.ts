/** A consensus public key: 32 bytes for ed25519, 33 for secp256k1. */
export interface PublicKey {
  readonly type: 'ed25519' | 'secp256k1';
  readonly bytes: Uint8Array;
}

/** A member of a validator set. */
export interface Validator {
  /** 20 bytes, derived from the key. */
  readonly address: Uint8Array;
  readonly publicKey: PublicKey;
  readonly votingPower: bigint;
  readonly proposerPriority: bigint;
}

/**
 * The validators of one height, by falling power and then by rising address, and the one whose turn it is
 * to propose in round 0. A value: the functions of `validator-set.ts` and `proposer.ts` return new sets.
 */
export interface ValidatorSet {
  readonly validators: readonly Validator[];
  /** Undefined only in an empty set. */
  readonly proposer: Validator | undefined;
  /** Sum of all powers. */
  readonly totalVotingPower: bigint;
}
