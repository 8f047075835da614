/**
 * Whether this validator may sign: never when its key has signed what its signing state does not know. Then
 * another node signs with the key, or the state was restored from an old copy, alone or with its whole home.
 */
import type { Commit } from '../consensus/types/commit.ts';
import { equalBytes } from '../core/bytes.ts';
import { LedgerError } from '../core/errors.ts';

/** Stored blocks looked back on for a signature that the signing state does not know. */
const BLOCKS_CHECKED = 20n;

/** A place in the life of the chain where something was signed. Steps: 1 proposal, 2 prevote, 3 precommit. */
export interface SignedStep {
  readonly height: bigint;
  readonly round: number;
  readonly step: number;
}

/** What a signer knows of its last signature. */
export interface SigningState {
  readonly address: Uint8Array;
  readonly state: SignedStep;
}

/** A signer; one that is another process does not tell its state. */
export interface GuardedSigner {
  readonly address: Uint8Array;
  readonly state?: SignedStep;
}

/** Stored blocks and the precommits that decided them. */
export interface SeenCommits {
  range(): { readonly base: bigint; readonly height: bigint };
  seenCommit(height: bigint): Commit | undefined;
}

const PRECOMMIT_STEP = 3;

/**
 * Refuses a signing state that knows less than the stored blocks: it was restored from a copy or written
 * anew, and would let the validator sign a second time what it has signed already.
 * @throws LedgerError `privval.rolled_back`
 */
export function checkSigningState(signer: SigningState, blocks: SeenCommits): void {
  for (const commit of lastCommits(blocks, BLOCKS_CHECKED)) {
    const signed = ownSignature(commit, signer.address);
    if (signed === undefined) continue;
    if (isNewer(signed, signer.state)) throw rolledBack(signer.state, signed, blocks.range().height);
    return;
  }
}

/** Where the guard looks, and how far back. */
export interface GuardOptions {
  readonly signer: GuardedSigner;
  readonly blocks: SeenCommits;
  /** CometBFT's `double_sign_check_height`: blocks that may hold no signature of this key; 0 is off. */
  readonly doubleSignCheckHeight: number;
}

/** Compares what the network shows of our own signatures with what the signer knows. */
export class SigningGuard {
  readonly #options: GuardOptions;
  #newest: SignedStep | undefined;

  constructor(options: GuardOptions) {
    this.#options = options;
  }

  /** Remembers our signature in a verified commit that came from a peer. */
  sawCommit(commit: Commit): void {
    const signed = ownSignature(commit, this.#options.signer.address);
    if (signed !== undefined) this.#remember(signed);
  }

  /** Remembers a verified vote or proposal that came from a peer, if we have signed it. */
  saw(signed: SignedStep & { readonly address: Uint8Array }): void {
    if (equalBytes(signed.address, this.#options.signer.address)) this.#remember(signed);
  }

  /**
   * Refuses when a signature was seen that the signing state does not know.
   * @throws LedgerError `privval.rolled_back`
   */
  check(): void {
    const { signer, blocks } = this.#options;
    const newest = this.#newest;
    if (signer.state === undefined || newest === undefined || !isNewer(newest, signer.state)) return;
    throw rolledBack(signer.state, newest, blocks.range().height);
  }

  /**
   * `check`, and what operators know as `double_sign_check_height`: before a validator takes part in
   * consensus, the last blocks must hold no signature of its key at all. A value of 1 checks one block
   * (CometBFT checked none before v0.38.24, #5668).
   * @throws LedgerError `privval.rolled_back`, `privval.signed_recently`
   */
  checkBeforeJoining(): void {
    this.check();
    const { signer, blocks, doubleSignCheckHeight: depth } = this.#options;
    for (const commit of lastCommits(blocks, BigInt(depth))) {
      if (ownSignature(commit, signer.address) === undefined) continue;
      throw new LedgerError(
        'privval.signed_recently',
        `this validator's signature is in the commit of height ${commit.height}, one of the last ${depth} blocks, and ` +
          `double_sign_check_height = ${depth} in config.toml allows none there: the key may be signing on another node. ` +
          'Nothing was signed. Make sure that no other node uses the key, wait until the chain has gone on by that many ' +
          'blocks, and start again; 0 switches this check off.',
        { signed: commit.height, depth },
      );
    }
  }

  #remember(signed: SignedStep): void {
    if (this.#newest === undefined || isNewer(signed, this.#newest)) this.#newest = signed;
  }
}

/** The commits of the last stored blocks, newest first. */
function* lastCommits(blocks: SeenCommits, depth: bigint): Generator<Commit> {
  const { base, height: highest } = blocks.range();
  for (let height = highest; height > highest - depth && height >= base && height > 0n; height--) {
    const commit = blocks.seenCommit(height);
    if (commit !== undefined) yield commit;
  }
}

function ownSignature(commit: Commit, address: Uint8Array): SignedStep | undefined {
  const { height, round, signatures } = commit;
  const isOurs = signatures.some((entry) => equalBytes(entry.validatorAddress, address));
  return isOurs ? { height, round, step: PRECOMMIT_STEP } : undefined;
}

function isNewer(a: SignedStep, b: SignedStep): boolean {
  if (a.height !== b.height) return a.height > b.height;
  return a.round === b.round ? a.step > b.step : a.round > b.round;
}

function rolledBack(state: SignedStep, signed: SignedStep, chainHeight: bigint): LedgerError {
  const last = chainHeight > signed.height ? chainHeight : signed.height;
  return new LedgerError(
    'privval.rolled_back',
    `the signing state (priv_validator_state.json) stands at height ${state.height}, round ${state.round}, but this ` +
      `validator's signature is in ${signed.step === PRECOMMIT_STEP ? 'the commit' : 'a message'} of height ` +
      `${signed.height}, round ${signed.round}: another node signs with this key, or the state is an old copy, perhaps ` +
      'with its whole home. Signing with it could sign twice, so this node has stopped. Make sure that no other node uses ' +
      'the key. Restore the newest priv_validator_state.json; if it is lost, let all that the file holds be ' +
      `{"height":"N","round":0,"step":0}, where N is one above the last height of the chain (at least ${last + 1n}).`,
    { state: state.height, signed: signed.height },
  );
}
