/** What went wrong elsewhere with commits, sent to our own code. `README.md` lists the advisories. */
import { expect, test } from 'vitest';
import { ABSENT_COMMIT_SIG, type CommitSig } from '../../consensus/types/commit.ts';
import { medianTime } from '../../consensus/types/median-time.ts';
import { verifyCommit, verifyCommitLight } from '../../consensus/types/verify-commit.ts';
import { defined } from '../../core/errors.ts';
import { readSynced, verifySyncedCommit } from '../../node/engine/synced.ts';
import {
  allEntries,
  CHAIN_ID,
  commitOf,
  entryOf,
  firstBlock,
  validators,
  verify,
  voteOf,
} from './signed-chain.ts';

const against = { chainId: CHAIN_ID, validators, verify };
const entry = (index: number): CommitSig => defined(allEntries[index], 'entry');

const checkOf = (signatures: readonly CommitSig[]): Parameters<typeof verifyCommit>[0] => ({
  ...against,
  height: 1n,
  blockId: firstBlock.blockId,
  commit: commitOf(signatures),
});

/**
 * Sent: a commit with good signatures, in which an entry carries another validator's address. The address is
 * not signed. There: signatures were checked by index and the median time looked powers up by address, so
 * whoever proposed could move the block's time. Here: address and index must name the same validator.
 */
test('CSA-2026-001 "Tachyon": the address of a commit entry is that of the validator at its index', () => {
  verifyCommit(checkOf(allEntries));
  const moved = [entry(0), { ...entry(1), validatorAddress: entry(3).validatorAddress }, entry(2), entry(3)];
  for (const check of [verifyCommit, verifyCommitLight])
    expect(() => check(checkOf(moved))).toThrow('not of the validator at its index');
});

/**
 * Sent: a commit with nil and absent entries. There: the times of nil precommits count for the median time up
 * to v0.38, and not any more from v0.40 on. Here: v0.38's rule, with its vectors. It is safe because every
 * entry that counts is verified, nil ones too, and the faulty are a minority of what is counted; an absent
 * entry has no time and never counts.
 */
test('#5901: nil precommits count for the block time only with a good signature, absent ones never', () => {
  const far = { seconds: 9_999_999_999n, nanos: 0 };
  const nil = entryOf(voteOf(3, { timestamp: far }));
  const honest = [entry(0), entry(1), entry(2)];
  verifyCommit(checkOf([...honest, nil]));
  const times = honest.map(({ timestamp }) => timestamp.seconds);
  expect(times).toContain(medianTime(commitOf([...honest, nil]), validators).seconds);
  verifyCommit(checkOf([...honest, ABSENT_COMMIT_SIG]));
  expect(medianTime(commitOf([...honest, ABSENT_COMMIT_SIG]), validators)).toEqual(entry(1).timestamp);
  const forged = { ...nil, timestamp: { seconds: 1n, nanos: 0 } };
  expect(() => verifyCommit(checkOf([...honest, forged]))).toThrow('wrong signature');
  const timed: CommitSig = { ...ABSENT_COMMIT_SIG, timestamp: far };
  expect(medianTime(commitOf([...honest, timed]), validators)).toEqual(entry(1).timestamp);
});

/**
 * Sent by a block sync peer: a block with a commit in which more than 2/3 signed, and one signature is bad.
 * There: block sync stopped checking at 2/3 and stored the commit as it was. Here: all of it is checked.
 */
test('#5663: block sync checks every signature of a commit', () => {
  const bad = [entry(0), entry(1), entry(2), { ...entry(3), signature: new Uint8Array(64) }];
  verifyCommitLight(checkOf(bad));
  const read = (signatures: readonly CommitSig[]): Parameters<typeof verifySyncedCommit>[0] =>
    readSynced({ height: 1n, blockBytes: firstBlock.bytes, commit: commitOf(signatures) });
  verifySyncedCommit(read(allEntries), against);
  expect(() => verifySyncedCommit(read(bad), against)).toThrow(/bad block for height 1.*wrong signature/);
});
