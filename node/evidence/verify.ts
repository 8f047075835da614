/** Whether evidence is true, judged by the chain that this node has stored. */
import { verifyDuplicateVote } from '../../consensus/types/duplicate-vote.ts';
import { EMPTY_COMMIT } from '../../consensus/types/commit.ts';
import { type Evidence, evidenceHeight, evidenceTime } from '../../consensus/types/evidence.ts';
import type { Header } from '../../consensus/types/header.ts';
import type { SignedHeader } from '../../consensus/types/light-block.ts';
import { isLunatic, verifyLightClientAttack } from '../../consensus/types/light-client-attack.ts';
import type { VerifySignature } from '../../consensus/types/public-key.ts';
import { compareTime } from '../../consensus/types/time.ts';
import { LedgerError } from '../../core/errors.ts';
import { isExpired } from './expiry.ts';
import type { EvidenceChain, EvidenceState } from './ports.ts';

/** What evidence is judged by. */
export interface Judge {
  readonly chain: EvidenceChain;
  readonly state: EvidenceState;
  readonly verify: VerifySignature;
}

/** The code of evidence about a height that this node does not have: who sent it is not to blame. */
export const UNKNOWN_HEIGHT = 'evidence.unknown_height';

/**
 * Checks time, age and truth of a piece of evidence.
 * @throws LedgerError `evidence.unknown_height` when the height is not stored here, `evidence.*` or
 * `commit.*` when it is not true or too old
 */
export function verifyEvidence(evidence: Evidence, judge: Judge): void {
  const { chain, state, verify } = judge;
  const height = evidenceHeight(evidence);
  const header = chain.header(height);
  const validators = chain.validators(height);
  if (header === undefined || validators === undefined || height > state.lastBlockHeight)
    throw new LedgerError(UNKNOWN_HEIGHT, 'this node has no block of the height of the evidence', { height });
  if (compareTime(evidenceTime(evidence), header.time) !== 0)
    throw new LedgerError('evidence.time', 'the evidence has another time than the block of its height', {
      height,
    });
  if (isExpired({ height, time: header.time }, state))
    throw new LedgerError('evidence.expired', 'the evidence is too old', { height });
  const { chainId } = state;
  if (evidence.kind === 'duplicateVote') {
    verifyDuplicateVote(evidence, { chainId, validators, verify });
  } else {
    const conflicting = evidence.conflictingBlock.header;
    const trusted = trustedHeader(conflicting, judge);
    try {
      verifyLightClientAttack(evidence, { chainId, common: validators, trusted, verify });
    } catch (error) {
      throw conflicting.height > state.lastBlockHeight ? asUndecided(error, conflicting.height) : error;
    }
  }
}

/** What a node that is behind may see otherwise than one that has the height of the conflicting block. */
const JUDGED_BY_HEIGHT: readonly string[] = [
  'evidence.time',
  'evidence.conflict',
  'evidence.common',
  'evidence.validators',
];

/** A wrong signature is wrong for everybody; the rest is not held against a peer that is ahead of us. */
function asUndecided(error: unknown, height: bigint): unknown {
  if (!(error instanceof LedgerError) || !JUDGED_BY_HEIGHT.includes(error.code)) return error;
  const reason = `this node has no block of height ${height} yet, by which it could judge: ${error.message}`;
  return new LedgerError(UNKNOWN_HEIGHT, reason, { height }, error);
}

/**
 * What this node has in place of the conflicting block; when the chain is not there yet, its last block. Who
 * is to blame for a lunatic block does not depend on who signed ours. Otherwise it does, and the judgement
 * waits until a block holds these precommits: before, each node has seen its own (CometBFT waits, too).
 */
function trustedHeader(conflicting: Header, { chain, state }: Judge): SignedHeader {
  const last = state.lastBlockHeight;
  const { height } = conflicting;
  const header = chain.header(height < last ? height : last);
  if (header === undefined)
    throw new LedgerError(UNKNOWN_HEIGHT, 'this node has no block of the height of the conflicting one', {
      height,
    });
  if (isLunatic(conflicting, header)) return { header, commit: EMPTY_COMMIT };
  const commit = height < last ? chain.commit(height) : undefined;
  if (commit === undefined)
    throw new LedgerError(
      UNKNOWN_HEIGHT,
      'who is to blame can be judged when the next block is there: send the evidence again then',
      { height },
    );
  return { header, commit };
}
