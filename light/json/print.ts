/** Blocks and what they are made of, as JSON that CometBFT v0.38 writes (`types/*.go`); `read.ts` reads it. */
import type { BlockId } from '../../consensus/types/block-id.ts';
import type { Block } from '../../consensus/types/block.ts';
import { BLOCK_ID_FLAG_NUMBER, type Commit, type CommitSig } from '../../consensus/types/commit.ts';
import type { DuplicateVoteEvidence } from '../../consensus/types/duplicate-vote.ts';
import type { Evidence } from '../../consensus/types/evidence.ts';
import type { LightClientAttackEvidence } from '../../consensus/types/light-client-attack.ts';
import { publicKeyToJson } from '../../consensus/types/genesis.ts';
import type { Header } from '../../consensus/types/header.ts';
import type { Proposal } from '../../consensus/types/proposal.ts';
import { VOTE_TYPE_NUMBER } from '../../consensus/types/sign-bytes.ts';
import type { Validator } from '../../consensus/types/validator.ts';
import type { Vote } from '../../consensus/types/vote.ts';
import type { MerkleProof } from '../../core/merkle.ts';
import { SignedMsgType } from '../../proto/gen/tendermint/types/types.ts';
import type { BlockMeta } from '../../proto/gen/tendermint/types/types.ts';
import { base64Json, bytesJson, hexJson, type Json, timeJson } from './json.ts';

/** A block id; that of no block has empty hashes. */
export function blockIdJson(id: BlockId): Json {
  return {
    hash: hexJson(id.hash),
    parts: { total: id.partSetHeader.total, hash: hexJson(id.partSetHeader.hash) },
  };
}

/** A header. The application's version is left out when it is 0. */
export function headerJson(header: Header): Json {
  const { block, app } = header.version;
  return {
    version: app === 0n ? { block: block.toString() } : { block: block.toString(), app: app.toString() },
    chain_id: header.chainId,
    height: header.height.toString(),
    time: timeJson(header.time),
    last_block_id: blockIdJson(header.lastBlockId),
    last_commit_hash: hexJson(header.lastCommitHash),
    data_hash: hexJson(header.dataHash),
    validators_hash: hexJson(header.validatorsHash),
    next_validators_hash: hexJson(header.nextValidatorsHash),
    consensus_hash: hexJson(header.consensusHash),
    app_hash: hexJson(header.appHash),
    last_results_hash: hexJson(header.lastResultsHash),
    evidence_hash: hexJson(header.evidenceHash),
    proposer_address: hexJson(header.proposerAddress),
  };
}

/** A commit. */
export function commitJson(commit: Commit): Json {
  return {
    height: commit.height.toString(),
    round: commit.round,
    block_id: blockIdJson(commit.blockId),
    signatures: commit.signatures.map(commitSigJson),
  };
}

function commitSigJson(entry: CommitSig): Json {
  return {
    block_id_flag: BLOCK_ID_FLAG_NUMBER[entry.blockIdFlag],
    validator_address: hexJson(entry.validatorAddress),
    timestamp: timeJson(entry.timestamp),
    signature: bytesJson(entry.signature),
  };
}

/** A vote. */
export function voteJson(vote: Vote): Json {
  return {
    type: VOTE_TYPE_NUMBER[vote.type],
    height: vote.height.toString(),
    round: vote.round,
    block_id: blockIdJson(vote.blockId),
    timestamp: timeJson(vote.timestamp),
    validator_address: hexJson(vote.validatorAddress),
    validator_index: vote.validatorIndex,
    signature: bytesJson(vote.signature),
    extension: bytesJson(vote.extension),
    extension_signature: bytesJson(vote.extensionSignature),
  };
}

/** A proposal. */
export function proposalJson(proposal: Proposal): Json {
  return {
    Type: SignedMsgType.SIGNED_MSG_TYPE_PROPOSAL,
    height: proposal.height.toString(),
    round: proposal.round,
    pol_round: proposal.polRound,
    block_id: blockIdJson(proposal.blockId),
    timestamp: timeJson(proposal.timestamp),
    signature: bytesJson(proposal.signature),
  };
}

/** A validator with its priority. */
export function validatorJson(validator: Validator): Json {
  const { type, value } = publicKeyToJson(validator.publicKey);
  return {
    address: hexJson(validator.address),
    pub_key: { type, value },
    voting_power: validator.votingPower.toString(),
    proposer_priority: validator.proposerPriority.toString(),
  };
}

/** Evidence by the names of CometBFT's JSON. */
export function evidenceJson(evidence: Evidence): Json {
  return evidence.kind === 'duplicateVote'
    ? { type: 'tendermint/DuplicateVoteEvidence', value: duplicateVoteJson(evidence) }
    : { type: 'tendermint/LightClientAttackEvidence', value: lightClientAttackJson(evidence) };
}

function duplicateVoteJson(evidence: DuplicateVoteEvidence): Json {
  return {
    vote_a: voteJson(evidence.voteA),
    vote_b: voteJson(evidence.voteB),
    TotalVotingPower: evidence.totalVotingPower.toString(),
    ValidatorPower: evidence.validatorPower.toString(),
    Timestamp: timeJson(evidence.timestamp),
  };
}

function lightClientAttackJson(evidence: LightClientAttackEvidence): Json {
  const { header, commit, validators: set } = evidence.conflictingBlock;
  const proposer = set.proposer === undefined ? null : validatorJson(set.proposer);
  return {
    ConflictingBlock: {
      signed_header: { header: headerJson(header), commit: commitJson(commit) },
      validator_set: { validators: set.validators.map(validatorJson), proposer },
    },
    CommonHeight: evidence.commonHeight.toString(),
    ByzantineValidators: evidence.byzantineValidators.map(validatorJson),
    TotalVotingPower: evidence.totalVotingPower.toString(),
    Timestamp: timeJson(evidence.timestamp),
  };
}

/** A block with all that stands in it. */
export function blockJson(block: Block): Json {
  return {
    header: headerJson(block.header),
    data: { txs: block.txs.map(base64Json) },
    evidence: { evidence: block.evidence.map(evidenceJson) },
    last_commit: commitJson(block.lastCommit),
  };
}

/** What `blockchain` says of a block. */
export function blockMetaJson(meta: BlockMeta): Json {
  return {
    block_id: blockIdJson(meta.blockId),
    block_size: meta.blockSize.toString(),
    header: headerJson(meta.header),
    num_txs: meta.numTxs.toString(),
  };
}

/** A transaction's proof against the header's data hash. */
export function txProofJson(of: {
  readonly root: Uint8Array;
  readonly tx: Uint8Array;
  readonly proof: MerkleProof;
}): Json {
  const { total, index, leafHash, aunts } = of.proof;
  return {
    root_hash: hexJson(of.root),
    data: base64Json(of.tx),
    proof: {
      total: total.toString(),
      index: index.toString(),
      leaf_hash: base64Json(leafHash),
      aunts: aunts.map(base64Json),
    },
  };
}
