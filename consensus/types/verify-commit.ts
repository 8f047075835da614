/**
 * Whether a commit decides a block. Both checks compare the address of each entry with the validator at its
 * index: median time is looked up by address (advisory CSA-2026-001), so the two must be the same.
 * Source: CometBFT v0.38.21 `types/validation.go`.
 */
import { equalBytes } from '../../core/bytes.ts';
import { LedgerError } from '../../core/errors.ts';
import { type BlockId, equalBlockId } from './block-id.ts';
import { type Commit, type CommitSig, commitSignBytes } from './commit.ts';
import type { VerifySignature } from './public-key.ts';
import type { ValidatorSet } from './validator.ts';
import { isTwoThirds } from './validator-set.ts';

/** What a commit is checked against. */
export interface CommitCheck {
  readonly chainId: string;
  readonly validators: ValidatorSet;
  readonly height: bigint;
  readonly blockId: BlockId;
  readonly commit: Commit;
  readonly verify: VerifySignature;
}

/**
 * Checks every signature that is there, those for nil too; more than 2/3 of the power must be for the
 * block. This is what a block's last commit is held to: who signed is rewarded, so each entry must be true.
 * @throws LedgerError `commit.*` on the first thing wrong
 */
export function verifyCommit(check: CommitCheck): void {
  verifyEntries(check, { counted: (entry) => entry.blockIdFlag !== 'absent', stopAtTwoThirds: false });
}

/**
 * Checks signatures for the block until they are more than 2/3 of the power. Enough to follow a chain; not
 * enough for a block that this node will put its own name behind.
 * @throws LedgerError `commit.*` on the first thing wrong
 */
export function verifyCommitLight(check: CommitCheck): void {
  verifyEntries(check, { counted: (entry) => entry.blockIdFlag === 'commit', stopAtTwoThirds: true });
}

interface Rule {
  readonly counted: (entry: CommitSig) => boolean;
  readonly stopAtTwoThirds: boolean;
}

function verifyEntries(check: CommitCheck, rule: Rule): void {
  const { chainId, validators, commit, verify } = check;
  verifyFrame(check);
  let power = 0n;
  for (const [index, entry] of commit.signatures.entries()) {
    if (!rule.counted(entry)) continue;
    const validator = validators.validators[index];
    const message = commitSignBytes(chainId, commit, index);
    if (validator === undefined || message === undefined) continue;
    if (!equalBytes(validator.address, entry.validatorAddress)) {
      throw new LedgerError('commit.address', 'commit entry is not of the validator at its index', { index });
    }
    if (!verify(validator.publicKey, message, entry.signature)) {
      throw new LedgerError('commit.signature', 'wrong signature in commit', {
        index,
        height: commit.height,
      });
    }
    if (entry.blockIdFlag === 'commit') power += validator.votingPower;
    if (rule.stopAtTwoThirds && isTwoThirds(validators, power)) return;
  }
  if (!isTwoThirds(validators, power)) {
    throw new LedgerError('commit.power', 'not more than 2/3 of the voting power signed the commit', {
      power,
      total: validators.totalVotingPower,
      height: commit.height,
    });
  }
}

/** Right number of entries, right height, right block. */
function verifyFrame({ validators, commit, height, blockId }: CommitCheck): void {
  if (commit.signatures.length !== validators.validators.length) {
    throw new LedgerError('commit.entries', 'commit has not one entry per validator', {
      entries: commit.signatures.length,
      validators: validators.validators.length,
    });
  }
  if (commit.height !== height) {
    throw new LedgerError('commit.height', 'commit is of another height', {
      expected: height,
      got: commit.height,
    });
  }
  if (!equalBlockId(commit.blockId, blockId)) {
    throw new LedgerError('commit.block', 'commit is for another block', { height });
  }
}
