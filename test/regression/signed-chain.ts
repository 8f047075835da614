/** Four validators with real keys, a block and the commit for it: what regression tests then break. */
import { newValidatorSet } from '../../consensus/proposer.ts';
import { encodeBlock } from '../../consensus/types/block.ts';
import { makeBlock } from '../../consensus/types/block-rules.ts';
import { type BlockId, NIL_BLOCK_ID } from '../../consensus/types/block-id.ts';
import { type Commit, type CommitSig, EMPTY_COMMIT } from '../../consensus/types/commit.ts';
import { headerHash } from '../../consensus/types/header.ts';
import { DEFAULT_CONSENSUS_PARAMS } from '../../consensus/types/params.ts';
import { partsOf } from '../../consensus/types/part-set.ts';
import type { VerifySignature } from '../../consensus/types/public-key.ts';
import { voteSignBytes } from '../../consensus/types/sign-bytes.ts';
import type { ValidatorSet } from '../../consensus/types/validator.ts';
import type { Vote } from '../../consensus/types/vote.ts';
import { EMPTY_BYTES, equalBytes, utf8 } from '../../core/bytes.ts';
import { defined } from '../../core/errors.ts';
import { sha256 } from '../../core/hash.ts';
import { ed25519Signer, verifyEd25519 } from '../../node/crypto/ed25519.ts';

export const CHAIN_ID = 'regression';

const signers = [0, 1, 2, 3].map((index) => ed25519Signer(sha256(utf8(`regression ${index}`))));

/** Four validators of equal power. */
export const validators: ValidatorSet = newValidatorSet(
  signers.map(({ publicKey }) => ({ publicKey: { type: 'ed25519', bytes: publicKey }, votingPower: 10n })),
);

export const verify: VerifySignature = (key, message, signature) =>
  verifyEd25519(key.bytes, message, signature);

/** A signed vote of the validator at an index. */
export function voteOf(index: number, vote: Partial<Vote> = {}): Vote {
  const { address, publicKey } = defined(validators.validators[index], 'validator');
  const signer = defined(
    signers.find((each) => equalBytes(each.publicKey, publicKey.bytes)),
    'signer',
  );
  const unsigned: Vote = {
    type: 'precommit',
    height: 1n,
    round: 0,
    blockId: NIL_BLOCK_ID,
    validatorAddress: address,
    validatorIndex: index,
    timestamp: { seconds: 1_700_000_000n + BigInt(index), nanos: 0 },
    signature: EMPTY_BYTES,
    extension: EMPTY_BYTES,
    extensionSignature: EMPTY_BYTES,
    ...vote,
  };
  return { ...unsigned, signature: signer.sign(voteSignBytes(CHAIN_ID, unsigned)) };
}

/** The first block of a chain, its bytes and its id. */
export const firstBlock: { readonly bytes: Uint8Array; readonly blockId: BlockId } = (() => {
  const block = makeBlock(
    {
      chainId: CHAIN_ID,
      initialHeight: 1n,
      height: 1n,
      lastBlockId: NIL_BLOCK_ID,
      lastBlockTime: { seconds: 1_699_999_999n, nanos: 0 },
      lastValidators: validators,
      validators,
      nextValidators: validators,
      consensusParams: DEFAULT_CONSENSUS_PARAMS,
      appHash: EMPTY_BYTES,
      lastResultsHash: EMPTY_BYTES,
    },
    {
      txs: [utf8('a transaction')],
      evidence: [],
      lastCommit: EMPTY_COMMIT,
      proposerAddress: defined(validators.validators[0], 'validator').address,
    },
  );
  const bytes = encodeBlock(block);
  return { bytes, blockId: { hash: headerHash(block.header), partSetHeader: partsOf(bytes).header } };
})();

/** The entry that a vote makes in a commit for the first block. */
export function entryOf(vote: Vote): CommitSig {
  const { validatorAddress, timestamp, signature } = vote;
  const blockIdFlag = vote.blockId.hash.length === 0 ? 'nil' : 'commit';
  return { blockIdFlag, validatorAddress, timestamp, signature };
}

/** A commit for the first block with these entries. */
export function commitOf(signatures: readonly CommitSig[]): Commit {
  return { height: 1n, round: 0, blockId: firstBlock.blockId, signatures };
}

/** Everybody's entries for the first block. */
export const allEntries: readonly CommitSig[] = [0, 1, 2, 3].map((index) =>
  entryOf(voteOf(index, { blockId: firstBlock.blockId })),
);
