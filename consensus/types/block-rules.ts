/**
 * Making the block that follows from a state, and telling whether a block does. The state is the node's:
 * what is known after the last executed block.
 * Source: CometBFT v0.38 `state/state.go` (MakeBlock), `state/validation.go` (validateBlock).
 */
import { equalBytes } from '../../core/bytes.ts';
import { LedgerError } from '../../core/errors.ts';
import { type Block, dataHash } from './block.ts';
import { type BlockId, equalBlockId } from './block-id.ts';
import { type Commit, commitHash } from './commit.ts';
import { encodeEvidenceList, type Evidence, evidenceListHash } from './evidence.ts';
import { BLOCK_PROTOCOL } from './limits.ts';
import { medianTime } from './median-time.ts';
import { type ConsensusParams, consensusParamsHash } from './params.ts';
import type { VerifySignature } from './public-key.ts';
import { compareTime, type Time } from './time.ts';
import type { ValidatorSet } from './validator.ts';
import { validatorByAddress, validatorsHash } from './validator-set.ts';
import { verifyCommit } from './verify-commit.ts';

/** What the next block follows from. */
export interface BlockContext {
  readonly chainId: string;
  /** Height of the chain's first block. */
  readonly initialHeight: bigint;
  /** Height of the next block. */
  readonly height: bigint;
  /** Of the last block; nil's id before the first. */
  readonly lastBlockId: BlockId;
  /** Of the last block; the genesis time before the first. */
  readonly lastBlockTime: Time;
  /** Who signed the last block; empty before the first. */
  readonly lastValidators: ValidatorSet;
  /** Who decides the next block. */
  readonly validators: ValidatorSet;
  /** Who decides the one after it. */
  readonly nextValidators: ValidatorSet;
  readonly consensusParams: ConsensusParams;
  /** After the last block. */
  readonly appHash: Uint8Array;
  readonly lastResultsHash: Uint8Array;
}

/** What the proposer puts into a block. */
export interface BlockContent {
  readonly txs: readonly Uint8Array[];
  readonly evidence: readonly Evidence[];
  readonly lastCommit: Commit;
  readonly proposerAddress: Uint8Array;
}

/**
 * The time that the block with this last commit must have: the genesis time first, then the median of the
 * commit.
 */
export function blockTime(context: BlockContext, lastCommit: Commit): Time {
  if (context.height === context.initialHeight) return context.lastBlockTime;
  return medianTime(lastCommit, context.lastValidators);
}

/** The block with that content. */
export function makeBlock(context: BlockContext, content: BlockContent): Block {
  const { txs, evidence, lastCommit, proposerAddress } = content;
  return {
    header: {
      version: { block: BLOCK_PROTOCOL, app: context.consensusParams.version.app },
      chainId: context.chainId,
      height: context.height,
      time: blockTime(context, lastCommit),
      lastBlockId: context.lastBlockId,
      lastCommitHash: commitHash(lastCommit),
      dataHash: dataHash(txs),
      validatorsHash: validatorsHash(context.validators),
      nextValidatorsHash: validatorsHash(context.nextValidators),
      consensusHash: consensusParamsHash(context.consensusParams),
      appHash: context.appHash,
      lastResultsHash: context.lastResultsHash,
      evidenceHash: evidenceListHash(evidence),
      proposerAddress,
    },
    txs,
    evidence,
    lastCommit,
  };
}

/**
 * Checks that a well-formed block (`decodeBlock`) follows from the state. Evidence in it must be verified
 * apart (`node/evidence`), since it looks at older heights.
 * @throws LedgerError `block.*`, or `commit.*` from its last commit
 */
export function verifyBlock(block: Block, context: BlockContext, verify: VerifySignature): void {
  const { header } = block;
  const { consensusParams } = context;
  check(header.version.app === consensusParams.version.app, 'version', 'app version');
  check(header.chainId === context.chainId, 'chain_id', 'chain id');
  check(header.height === context.height, 'height', 'height');
  check(equalBlockId(header.lastBlockId, context.lastBlockId), 'last_block_id', 'last block id');
  check(equalBytes(header.appHash, context.appHash), 'app_hash', 'app hash');
  check(
    equalBytes(header.consensusHash, consensusParamsHash(consensusParams)),
    'consensus_hash',
    'consensus hash',
  );
  check(equalBytes(header.lastResultsHash, context.lastResultsHash), 'results_hash', 'last results hash');
  check(
    equalBytes(header.validatorsHash, validatorsHash(context.validators)),
    'validators',
    'validators hash',
  );
  const nextHash = validatorsHash(context.nextValidators);
  check(equalBytes(header.nextValidatorsHash, nextHash), 'next_validators', 'next validators hash');
  verifyLastCommit(block, context, verify);
  const proposer = validatorByAddress(context.validators, header.proposerAddress);
  check(proposer !== undefined, 'proposer', 'proposer, who is not a validator');
  check(compareTime(header.time, blockTime(context, block.lastCommit)) === 0, 'time', 'time');
  const later = compareTime(header.time, context.lastBlockTime) > 0;
  check(later || context.height === context.initialHeight, 'time', 'time, not after the last block');
  const bytes = encodeEvidenceList(block.evidence).length;
  check(BigInt(bytes) <= consensusParams.evidence.maxBytes, 'evidence_size', 'size of evidence');
}

function verifyLastCommit(block: Block, context: BlockContext, verify: VerifySignature): void {
  if (context.height === context.initialHeight) {
    check(block.lastCommit.signatures.length === 0, 'last_commit', 'last commit: the first block has none');
    return;
  }
  verifyCommit({
    chainId: context.chainId,
    validators: context.lastValidators,
    height: context.height - 1n,
    blockId: context.lastBlockId,
    commit: block.lastCommit,
    verify,
  });
}

function check(holds: boolean, code: string, what: string): void {
  if (!holds) throw new LedgerError(`block.${code}`, `block has a wrong ${what}`);
}
