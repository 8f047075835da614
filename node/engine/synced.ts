/** Blocks from block sync: read, and their commits checked as strictly as consensus checks votes. */
import { decodeBlock } from '../../consensus/types/block.ts';
import { type Commit, commitSignBytes } from '../../consensus/types/commit.ts';
import { headerHash } from '../../consensus/types/header.ts';
import { partsOf } from '../../consensus/types/part-set.ts';
import type { VerifySignature } from '../../consensus/types/public-key.ts';
import type { ValidatorSet } from '../../consensus/types/validator.ts';
import { verifyCommit } from '../../consensus/types/verify-commit.ts';
import { equalBytes } from '../../core/bytes.ts';
import { LedgerError, messageOf } from '../../core/errors.ts';
import { isDamage } from '../checksum.ts';
import { divergedError } from './fault.ts';
import type { ChainExecutor, DecidedBlock, ExpectSignature, SyncedBlock } from './ports.ts';

/** @throws LedgerError `sync.invalid_block` when the bytes are no block, or of another height */
export function readSynced(synced: SyncedBlock): DecidedBlock {
  try {
    const block = decodeBlock(synced.blockBytes);
    const { header, parts } = partsOf(synced.blockBytes);
    if (block.header.height !== synced.height)
      throw new LedgerError('sync.height', 'it is of another height');
    const blockId = { hash: headerHash(block.header), partSetHeader: header };
    const blockSize = synced.blockBytes.length;
    return { block, blockId, parts, blockSize, seenCommit: synced.commit };
  } catch (cause) {
    throw invalid(synced.height, cause);
  }
}

/** Tells of the signatures in a commit, as far as today's validators made them. */
export function expectCommit(
  commit: Commit,
  { chainId, validators }: { readonly chainId: string; readonly validators: ValidatorSet },
  expectSignature: ExpectSignature,
): void {
  for (const [index, { signature, validatorAddress }] of commit.signatures.entries()) {
    const validator = validators.validators[index];
    if (validator === undefined || !equalBytes(validator.address, validatorAddress)) continue;
    const message = commitSignBytes(chainId, commit, index);
    if (message !== undefined) expectSignature(validator.publicKey, message, signature);
  }
}

/** @throws LedgerError `sync.invalid_block` when the commit does not decide the block */
export function verifySyncedCommit(
  decided: DecidedBlock,
  against: { readonly chainId: string; readonly validators: ValidatorSet; readonly verify: VerifySignature },
): void {
  const { height } = decided.block.header;
  try {
    verifyCommit({ ...against, height, blockId: decided.blockId, commit: decided.seenCommit });
  } catch (cause) {
    throw invalid(height, cause);
  }
}

/**
 * Checks a block whose commit was verified: it is what the network decided, whoever sent it. When it does not
 * follow from our state, that state is not the network's.
 * @throws LedgerError `sync.diverged`, or `database.corrupt` when it cannot be told: the node must stop
 */
export function checkSyncedBlock(
  { block, blockId }: DecidedBlock,
  executor: Pick<ChainExecutor, 'check' | 'state'>,
): void {
  try {
    executor.check(block);
  } catch (cause) {
    if (isDamage(cause)) throw cause;
    const reason = messageOf(cause);
    throw divergedError({ header: block.header, blockId, appHash: executor.state.appHash, reason }, cause);
  }
}

function invalid(height: bigint, cause: unknown): LedgerError {
  return new LedgerError(
    'sync.invalid_block',
    `a peer sent a bad block for height ${height}: ${messageOf(cause)}`,
    { height },
    cause,
  );
}
