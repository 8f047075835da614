import type { Commit } from '../consensus/types/commit.ts';
import { equalBytes } from '../core/bytes.ts';
import { LedgerError } from '../core/errors.ts';

/** Blocks looked back on for a signature of ours. */
const BLOCKS_CHECKED = 20n;

/** What a signer knows of its last signature. */
export interface SigningState {
  readonly address: Uint8Array;
  readonly state: { readonly height: bigint; readonly round: number; readonly step: number };
}

/** Stored blocks and the precommits that decided them. */
export interface SeenCommits {
  range(): { readonly base: bigint; readonly height: bigint };
  seenCommit(height: bigint): Commit | undefined;
}

/**
 * Refuses a signing state that knows less than the chain: it was restored from a copy or written anew, and
 * would let the validator sign a second time what it has signed already.
 * @throws LedgerError `privval.rolled_back`
 */
export function checkSigningState({ address, state }: SigningState, blocks: SeenCommits): void {
  const { base, height: highest } = blocks.range();
  const from = highest > BLOCKS_CHECKED ? highest - BLOCKS_CHECKED : 0n;
  for (let height = highest; height > from && height >= base && state.height <= height; height--) {
    const commit = blocks.seenCommit(height);
    const signed = commit?.signatures.some((entry) => equalBytes(entry.validatorAddress, address)) === true;
    if (commit === undefined || !signed) continue;
    const knows =
      state.height === height &&
      (state.round > commit.round || (state.round === commit.round && state.step >= PRECOMMIT_STEP));
    if (knows) return;
    throw new LedgerError(
      'privval.rolled_back',
      `the signing state stands at height ${state.height}, but this validator's signature is in the commit of height ` +
        `${height}: the state is an old copy, and signing with it could sign twice. Restore the newest ` +
        `priv_validator_state.json; if it is lost, set its height to one above the last height of the chain.`,
      { state: state.height, signed: height },
    );
  }
}

/** Number of the last step of a round in a signing state. */
const PRECOMMIT_STEP = 3;
