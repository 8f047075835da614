/** Reads blocks and evidence, as `read.ts` reads what they are made of. */
import { type Block, checkBlock } from '../../consensus/types/block.ts';
import { checkDuplicateVote, type DuplicateVoteEvidence } from '../../consensus/types/duplicate-vote.ts';
import { EVIDENCE_MAX, type Evidence } from '../../consensus/types/evidence.ts';
import {
  type LightClientAttackEvidence,
  lightClientAttackFromMessage,
} from '../../consensus/types/light-client-attack.ts';
import { lightBlockToMessage } from '../../consensus/types/light-block.ts';
import { BLOCK_BYTES_MAX, VALIDATORS_MAX } from '../../consensus/types/limits.ts';
import { VOTE_TYPE_NUMBER } from '../../consensus/types/sign-bytes.ts';
import { validatorToMessage } from '../../consensus/types/validator-set.ts';
import { checkVote, type Vote, type VoteType } from '../../consensus/types/vote.ts';
import type { JsonField } from './field.ts';
import { readBlockId, readCommit, readHeader, readLightBlock, readValidator } from './read.ts';

/** No transaction is smaller than the two bytes that it takes in a block. */
const TXS_MAX = BLOCK_BYTES_MAX / 2;
const VOTE_TYPES: readonly VoteType[] = ['prevote', 'precommit'];

/**
 * A block whose header's hashes are those of its contents. Nothing says that it is on the chain.
 * @throws DecodeError
 */
export function readBlock(json: JsonField): Block {
  const evidence = json.at('evidence').at('evidence');
  return checkBlock({
    header: readHeader(json.at('header')),
    txs: json
      .at('data')
      .at('txs')
      .list(TXS_MAX)
      .map((tx) => tx.base64()),
    evidence: evidence.list(EVIDENCE_MAX).map(readEvidence),
    lastCommit: readCommit(json.at('last_commit')),
  });
}

/**
 * Evidence by the names of CometBFT's JSON; checked for its form, not for its truth.
 * @throws DecodeError
 */
export function readEvidence(json: JsonField): Evidence {
  const type = json.at('type');
  const value = json.at('value');
  switch (type.string()) {
    case 'tendermint/DuplicateVoteEvidence':
      return readDuplicateVote(value);
    case 'tendermint/LightClientAttackEvidence':
      return readLightClientAttack(value);
    default:
      throw type.wrong('a kind of evidence');
  }
}

function readDuplicateVote(json: JsonField): DuplicateVoteEvidence {
  return checkDuplicateVote({
    kind: 'duplicateVote',
    voteA: readVote(json.at('vote_a')),
    voteB: readVote(json.at('vote_b')),
    totalVotingPower: json.at('TotalVotingPower').int64(),
    validatorPower: json.at('ValidatorPower').int64(),
    timestamp: json.at('Timestamp').time(),
  });
}

function readLightClientAttack(json: JsonField): LightClientAttackEvidence {
  const members = json.at('ByzantineValidators').list(VALIDATORS_MAX).map(readValidator);
  return lightClientAttackFromMessage({
    conflictingBlock: lightBlockToMessage(readLightBlock(json.at('ConflictingBlock'))),
    commonHeight: json.at('CommonHeight').int64(),
    byzantineValidators: members.map(validatorToMessage),
    totalVotingPower: json.at('TotalVotingPower').int64(),
    timestamp: json.at('Timestamp').time(),
  });
}

function readVote(json: JsonField): Vote {
  const number = json.at('type').int32();
  const type = VOTE_TYPES.find((each) => VOTE_TYPE_NUMBER[each] === number);
  if (type === undefined) throw json.at('type').wrong('1 (prevote) or 2 (precommit)');
  return checkVote({
    type,
    height: json.at('height').int64(),
    round: json.at('round').int32(),
    blockId: readBlockId(json.at('block_id')),
    timestamp: json.at('timestamp').time(),
    validatorAddress: json.at('validator_address').hex(),
    validatorIndex: json.at('validator_index').int32(),
    signature: json.at('signature').base64(),
    extension: json.at('extension').base64(),
    extensionSignature: json.at('extension_signature').base64(),
  });
}
