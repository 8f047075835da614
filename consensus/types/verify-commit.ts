/**
 * Whether a commit decides a block. Both checks compare the address of each entry with the validator at its
 * index: median time is looked up by address (advisory CSA-2026-001), so the two must be the same.
 * Source: CometBFT v0.38.21 `types/validation.go`.
 */
import { equalBytes, toHex } from '../../core/bytes.ts';
import { LedgerError } from '../../core/errors.ts';
import { type BlockId, equalBlockId } from './block-id.ts';
import { type Commit, type CommitSig, commitSignBytes } from './commit.ts';
import type { VerifySignature } from './public-key.ts';
import type { Validator, ValidatorSet } from './validator.ts';
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
 * Checks signatures for the block until they are more than 2/3 of the power, or all of them. Enough to follow
 * a chain; not enough for a block that this node will put its own name behind.
 * @throws LedgerError `commit.*` on the first thing wrong
 */
export function verifyCommitLight(check: CommitCheck & EverySignature): void {
  const stopAtTwoThirds = check.everySignature !== true;
  verifyEntries(check, { counted: (entry) => entry.blockIdFlag === 'commit', stopAtTwoThirds });
}

/** Whether to go on when enough is known: evidence names all who signed. Default false. */
export interface EverySignature {
  readonly everySignature?: boolean;
}

/** A fraction of the voting power. */
export interface TrustLevel {
  readonly numerator: bigint;
  /** Above 0. */
  readonly denominator: bigint;
}

/** The light client's default: one honest validator is among a third. */
export const LIGHT_TRUST_LEVEL: TrustLevel = { numerator: 1n, denominator: 3n };

/** What a commit of validators that need not be known is checked against. */
export interface TrustingCheck extends EverySignature {
  readonly chainId: string;
  /** Validators that are known, of another height. */
  readonly trusted: ValidatorSet;
  readonly commit: Commit;
  readonly level: TrustLevel;
  readonly verify: VerifySignature;
}

/**
 * Checks that more than a fraction of known validators have signed the block. Those that are not known do not
 * count, nor are their signatures looked at.
 * @throws LedgerError `commit.double` when one validator has two entries, `commit.signature`, `commit.power`
 */
export function verifyCommitLightTrusting(check: TrustingCheck): void {
  const { chainId, trusted, commit, level, verify } = check;
  const needed = (trusted.totalVotingPower * level.numerator) / level.denominator;
  const members = new Map(trusted.validators.map((each) => [toHex(each.address), each] as const));
  const seen = new Set<string>();
  let power = 0n;
  for (const [index, entry] of commit.signatures.entries()) {
    if (entry.blockIdFlag !== 'commit') continue;
    const address = toHex(entry.validatorAddress);
    const validator = members.get(address);
    if (validator === undefined) continue;
    if (seen.has(address))
      throw new LedgerError('commit.double', 'one validator has two entries in the commit', {
        index,
        address,
      });
    seen.add(address);
    verifyEntry({ chainId, commit, verify }, index, validator);
    power += validator.votingPower;
    if (check.everySignature !== true && power > needed) return;
  }
  if (power <= needed)
    throw notEnoughPower(power, { needed, total: trusted.totalVotingPower, height: commit.height });
}

interface Rule {
  readonly counted: (entry: CommitSig) => boolean;
  readonly stopAtTwoThirds: boolean;
}

function verifyEntries(check: CommitCheck, rule: Rule): void {
  const { validators, commit } = check;
  verifyFrame(check);
  let power = 0n;
  for (const [index, entry] of commit.signatures.entries()) {
    if (!rule.counted(entry)) continue;
    const validator = validators.validators[index];
    if (validator === undefined) continue;
    if (!equalBytes(validator.address, entry.validatorAddress)) {
      throw new LedgerError('commit.address', 'commit entry is not of the validator at its index', { index });
    }
    verifyEntry(check, index, validator);
    if (entry.blockIdFlag === 'commit') power += validator.votingPower;
    if (rule.stopAtTwoThirds && isTwoThirds(validators, power)) return;
  }
  if (!isTwoThirds(validators, power)) {
    const total = validators.totalVotingPower;
    throw notEnoughPower(power, { needed: (total * 2n) / 3n, total, height: commit.height });
  }
}

/** Checks the signature of the entry at an index, which is not absent. */
function verifyEntry(
  { chainId, commit, verify }: Pick<CommitCheck, 'chainId' | 'commit' | 'verify'>,
  index: number,
  validator: Validator,
): void {
  const message = commitSignBytes(chainId, commit, index);
  const signature = commit.signatures[index]?.signature;
  if (message === undefined || signature === undefined || !verify(validator.publicKey, message, signature)) {
    throw new LedgerError('commit.signature', 'wrong signature in commit', { index, height: commit.height });
  }
}

/**
 * Checks the first signature for the block. For a commit whose entries are known to be true, because a header
 * names their hash: that leaves out the commit's round, which every signature covers.
 * @throws LedgerError `commit.*` on the first thing wrong
 */
export function verifyCommitRound(check: CommitCheck): void {
  const { commit, validators } = check;
  verifyFrame(check);
  const index = commit.signatures.findIndex(({ blockIdFlag }) => blockIdFlag === 'commit');
  const validator = validators.validators[index];
  if (validator === undefined)
    throw new LedgerError('commit.power', 'nobody signed the commit', { height: commit.height });
  verifyEntry(check, index, validator);
}

function notEnoughPower(
  power: bigint,
  facts: { readonly needed: bigint; readonly total: bigint; readonly height: bigint },
): LedgerError {
  return new LedgerError('commit.power', 'not enough of the voting power signed the commit', {
    power,
    ...facts,
  });
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
