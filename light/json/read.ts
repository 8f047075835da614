/**
 * Reads what `print.ts` writes: blocks and what they are made of, from nodes that need not be honest. Lists
 * have bounds, forms are checked; signatures are not. All functions throw DecodeError with the place of what
 * is wrong.
 */
import { type BlockId, checkBlockId } from '../../consensus/types/block-id.ts';
import {
  BLOCK_ID_FLAG_NUMBER,
  type BlockIdFlag,
  checkCommit,
  type Commit,
  type CommitSig,
} from '../../consensus/types/commit.ts';
import { publicKeyFromJson } from '../../consensus/types/genesis.ts';
import { checkHeader, type Header } from '../../consensus/types/header.ts';
import { checkLightBlock, type LightBlock, type SignedHeader } from '../../consensus/types/light-block.ts';
import { VALIDATORS_MAX } from '../../consensus/types/limits.ts';
import { publicKeyToMessage } from '../../consensus/types/public-key.ts';
import type { Validator, ValidatorSet } from '../../consensus/types/validator.ts';
import {
  validatorFromMessage,
  validatorSetFromMessage,
  validatorToMessage,
} from '../../consensus/types/validator-set.ts';
import { compareBytes } from '../../core/bytes.ts';
import { MERKLE_AUNTS_MAX, type MerkleProof } from '../../core/merkle.ts';
import type { JsonField } from './field.ts';

const FLAGS: readonly BlockIdFlag[] = ['absent', 'commit', 'nil'];

/** A block id; null is that of no block. */
export function readBlockId(json: JsonField): BlockId {
  const parts = json.at('parts');
  const partSetHeader = { total: parts.at('total').int32(), hash: parts.at('hash').hex() };
  return checkBlockId({ hash: json.at('hash').hex(), partSetHeader }, json.path);
}

/** A header. */
export function readHeader(json: JsonField): Header {
  const version = json.at('version');
  return checkHeader({
    version: {
      block: version.at('block').int64(),
      app: version.at('app').isEmpty ? 0n : version.at('app').int64(),
    },
    chainId: json.at('chain_id').string(),
    height: json.at('height').int64(),
    time: json.at('time').time(),
    lastBlockId: readBlockId(json.at('last_block_id')),
    lastCommitHash: json.at('last_commit_hash').hex(),
    dataHash: json.at('data_hash').hex(),
    validatorsHash: json.at('validators_hash').hex(),
    nextValidatorsHash: json.at('next_validators_hash').hex(),
    consensusHash: json.at('consensus_hash').hex(),
    appHash: json.at('app_hash').hex(),
    lastResultsHash: json.at('last_results_hash').hex(),
    evidenceHash: json.at('evidence_hash').hex(),
    proposerAddress: json.at('proposer_address').hex(),
  });
}

/** A commit. */
export function readCommit(json: JsonField): Commit {
  return checkCommit({
    height: json.at('height').int64(),
    round: json.at('round').int32(),
    blockId: readBlockId(json.at('block_id')),
    signatures: json.at('signatures').list(VALIDATORS_MAX).map(readCommitSig),
  });
}

function readCommitSig(json: JsonField): CommitSig {
  const number = json.at('block_id_flag').int32();
  const flag = FLAGS.find((each) => BLOCK_ID_FLAG_NUMBER[each] === number);
  if (flag === undefined) throw json.at('block_id_flag').wrong('1, 2 or 3');
  return {
    blockIdFlag: flag,
    validatorAddress: json.at('validator_address').hex(),
    timestamp: json.at('timestamp').time(),
    signature: json.at('signature').base64(),
  };
}

/** A header and a commit for it, which need not belong together. */
export function readSignedHeader(json: JsonField): SignedHeader {
  return { header: readHeader(json.at('header')), commit: readCommit(json.at('commit')) };
}

/** A validator whose address is that of its key. A priority that is missing is 0. */
export function readValidator(json: JsonField): Validator {
  const key = json.at('pub_key');
  const publicKey = publicKeyFromJson({ type: key.at('type').string(), value: key.at('value').string() });
  const priority = json.at('proposer_priority');
  return validatorFromMessage({
    address: json.at('address').hex(),
    pubKey: publicKeyToMessage(publicKey),
    votingPower: json.at('voting_power').int64(),
    proposerPriority: priority.isEmpty ? 0n : priority.int64(),
  });
}

/**
 * A validator set out of its members, in their order. The proposer is not in the pages that nodes answer
 * with: when it is not given, it is the member of the lowest priority, as CometBFT guesses it
 * (`findPreviousProposer`).
 */
export function validatorSetOf(members: readonly Validator[], proposer?: Validator): ValidatorSet {
  return validatorSetFromMessage({
    validators: members.map(validatorToMessage),
    proposer: optional(proposer ?? lowest(members)),
    totalVotingPower: 0n,
  });
}

function optional(validator: Validator | undefined): ReturnType<typeof validatorToMessage> | undefined {
  return validator === undefined ? undefined : validatorToMessage(validator);
}

/** Of several of the lowest priority, the one with the highest address. */
function lowest(members: readonly Validator[]): Validator | undefined {
  let found: Validator | undefined;
  for (const member of members) {
    const isLower =
      found === undefined ||
      member.proposerPriority < found.proposerPriority ||
      (member.proposerPriority === found.proposerPriority && compareBytes(member.address, found.address) > 0);
    if (isLower) found = member;
  }
  return found;
}

/** A validator set with its proposer. */
export function readValidatorSet(json: JsonField): ValidatorSet {
  const proposer = json.at('proposer');
  const members = json.at('validators').list(VALIDATORS_MAX).map(readValidator);
  return validatorSetOf(members, proposer.isEmpty ? undefined : readValidator(proposer));
}

/** A light block; its parts belong together. */
export function readLightBlock(json: JsonField): LightBlock {
  return checkLightBlock({
    ...readSignedHeader(json.at('signed_header')),
    validators: readValidatorSet(json.at('validator_set')),
  });
}

/** A merkle proof as `tx` answers it. */
export function readMerkleProof(json: JsonField): MerkleProof {
  return {
    total: Number(json.at('total').int64()),
    index: Number(json.at('index').int64()),
    leafHash: json.at('leaf_hash').base64(),
    aunts: json
      .at('aunts')
      .list(MERKLE_AUNTS_MAX)
      .map((aunt) => aunt.base64()),
  };
}
