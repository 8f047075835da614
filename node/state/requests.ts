/** The application's requests made of blocks, as CometBFT makes them. */
import type { Block } from '../../consensus/types/block.ts';
import { type BlockContext, blockTime } from '../../consensus/types/block-rules.ts';
import { BLOCK_ID_FLAG_NUMBER, type Commit } from '../../consensus/types/commit.ts';
import { type Evidence, evidenceHeight } from '../../consensus/types/evidence.ts';
import { headerHash } from '../../consensus/types/header.ts';
import type { ValidatorSet } from '../../consensus/types/validator.ts';
import { validatorsHash } from '../../consensus/types/validator-set.ts';
import { assert, defined } from '../../core/errors.ts';
import { publicKeyToMessage } from '../../consensus/types/public-key.ts';
import { EMPTY_BYTES } from '../../core/bytes.ts';
import {
  type CommitInfo,
  type ExtendedCommitInfo,
  type Misbehavior,
  MisbehaviorType,
  type RequestFinalizeBlock,
  type RequestInitChain,
  type RequestPrepareProposal,
  type RequestProcessProposal,
} from '../../proto/gen/tendermint/abci/types.ts';
import type { Genesis } from './chain-state.ts';

/** InitChain. */
export function initChainRequest(genesis: Genesis): RequestInitChain {
  return {
    time: genesis.genesisTime,
    chainId: genesis.chainId,
    consensusParams: genesis.consensusParams,
    validators: genesis.validators.map(({ publicKey, votingPower }) => ({
      pubKey: publicKeyToMessage(publicKey),
      power: votingPower,
    })),
    appStateBytes: genesis.appState,
    initialHeight: genesis.initialHeight,
  };
}

/** Who signed the last commit, with its validators: nothing in the first block. */
export function commitInfo(commit: Commit, validators: ValidatorSet): CommitInfo {
  if (commit.signatures.length === 0) return { round: 0, votes: [] };
  assert(commit.signatures.length === validators.validators.length, 'a commit has one entry per validator');
  return {
    round: commit.round,
    votes: commit.signatures.map(({ blockIdFlag }, index) => {
      const { address, votingPower } = defined(validators.validators[index], 'validator');
      return { validator: { address, power: votingPower }, blockIdFlag: BLOCK_ID_FLAG_NUMBER[blockIdFlag] };
    }),
  };
}

function extendedCommitInfo(commit: Commit, validators: ValidatorSet): ExtendedCommitInfo {
  const { round, votes } = commitInfo(commit, validators);
  const noExtension = { voteExtension: EMPTY_BYTES, extensionSignature: EMPTY_BYTES };
  return { round, votes: votes.map((vote) => ({ ...vote, ...noExtension })) };
}

/** What the application is told of evidence: one entry for each validator who is to blame. */
export function misbehaviorOf(evidence: Evidence): readonly Misbehavior[] {
  const common = {
    height: evidenceHeight(evidence),
    time: evidence.timestamp,
    totalVotingPower: evidence.totalVotingPower,
  };
  if (evidence.kind === 'duplicateVote') {
    const validator = { address: evidence.voteA.validatorAddress, power: evidence.validatorPower };
    return [{ type: MisbehaviorType.DUPLICATE_VOTE, validator, ...common }];
  }
  return evidence.byzantineValidators.map(({ address, votingPower }) => ({
    type: MisbehaviorType.LIGHT_CLIENT_ATTACK,
    validator: { address, power: votingPower },
    ...common,
  }));
}

/** What PrepareProposal is made of: the next block before its transactions are final. */
export interface ProposalDraft {
  readonly txs: readonly Uint8Array[];
  readonly evidence: readonly Evidence[];
  readonly lastCommit: Commit;
  readonly proposerAddress: Uint8Array;
  /** Bytes of transactions, with their overhead in the block, that fit. */
  readonly maxTxBytes: bigint;
}

/** PrepareProposal. */
export function prepareRequest(context: BlockContext, draft: ProposalDraft): RequestPrepareProposal {
  const { txs, evidence, lastCommit, proposerAddress, maxTxBytes } = draft;
  return {
    maxTxBytes,
    txs,
    localLastCommit: extendedCommitInfo(lastCommit, context.lastValidators),
    misbehavior: evidence.flatMap(misbehaviorOf),
    height: context.height,
    time: blockTime(context, lastCommit),
    nextValidatorsHash: validatorsHash(context.nextValidators),
    proposerAddress,
  };
}

/** ProcessProposal. */
export function processRequest(block: Block, lastValidators: ValidatorSet): RequestProcessProposal {
  const { height, time, nextValidatorsHash, proposerAddress } = block.header;
  return {
    txs: block.txs,
    proposedLastCommit: commitInfo(block.lastCommit, lastValidators),
    misbehavior: block.evidence.flatMap(misbehaviorOf),
    hash: headerHash(block.header),
    height,
    time,
    nextValidatorsHash,
    proposerAddress,
  };
}

/** FinalizeBlock. */
export function finalizeRequest(block: Block, lastValidators: ValidatorSet): RequestFinalizeBlock {
  const { proposedLastCommit, ...rest } = processRequest(block, lastValidators);
  return { ...rest, decidedLastCommit: proposedLastCommit };
}
