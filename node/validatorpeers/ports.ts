/** What the proofs of validator keys need of their neighbours. */
import type { VerifySignature } from '../../consensus/types/public-key.ts';
import type { PublicKey, ValidatorSet } from '../../consensus/types/validator.ts';
import type { Logger, Network } from '../../p2p/network.ts';
import type { Timers } from '../../p2p/timers.ts';
import type { ProofParties } from '../../p2p/validator-proof.ts';

/** A signer; one whose key is in another process may not be able to prove it. */
export interface ProvingSigner {
  readonly publicKey: PublicKey;
  signValidatorProof?(chainId: string, parties: ProofParties): Promise<Uint8Array>;
}

/** What is read of a committed block. */
export interface Committed {
  readonly block: { readonly header: { readonly nextValidatorsHash: Uint8Array } };
}

/** What the proofs work with. */
export interface ValidatorPeersPorts {
  readonly network: Network;
  readonly signer: ProvingSigner;
  /** Those who decide the next block, as this node knows it. */
  readonly validators: () => ValidatorSet;
  readonly verify: VerifySignature;
  readonly randomBytes: (length: number) => Uint8Array;
  readonly timers: Timers;
  readonly log: Logger;
}

/** Waits and bounds. */
export interface ValidatorPeersLimits {
  readonly requestTimeoutMs: number;
  /** Questions to one peer in one session: who gave no proof is asked again. */
  readonly asksPerSessionMax: number;
  readonly askAgainMs: number;
  /** A peer is answered once in this time, over all its sessions, and `answersBurstMax` times at once. */
  readonly answerIntervalMs: number;
  readonly answersBurstMax: number;
  /**
   * A peer that asks more often in one session is at fault. Counted, not timed: questions arrive together
   * when this process was paused. Several times `asksPerSessionMax`.
   */
  readonly questionsPerSessionMax: number;
  /** Signatures of the consensus key for proofs, for all peers together. */
  readonly proofsPerSecondMax: number;
  /** Peers of which it is remembered how often they asked. */
  readonly askersMax: number;
}

/** Two small messages for each session. */
export const DEFAULT_VALIDATOR_PEERS: ValidatorPeersLimits = {
  requestTimeoutMs: 5_000,
  asksPerSessionMax: 3,
  askAgainMs: 60_000,
  answerIntervalMs: 20_000,
  answersBurstMax: 3,
  questionsPerSessionMax: 12,
  proofsPerSecondMax: 32,
  askersMax: 4_096,
};

/** How a node takes part. */
export interface ValidatorPeersOptions {
  readonly chainId: string;
  /** False: this node tells nobody which validator it is. */
  readonly prove: boolean;
  readonly limits: ValidatorPeersLimits;
}

/** Counters since start. */
export interface ValidatorPeersMetrics {
  asked: number;
  /** Proofs of peers that were good, whether their key is in the set or not. */
  proved: number;
  /** Proofs that this node gave. */
  given: number;
  /** Questions left without a proof because there were too many. */
  refused: number;
}
