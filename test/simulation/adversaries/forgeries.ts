/** Blocks with one thing wrong, whose form is right: what they follow from has to be looked at. */
import type { Block } from '../../../consensus/types/block.ts';
import { type BlockContext, blockTime } from '../../../consensus/types/block-rules.ts';
import {
  ABSENT_COMMIT_SIG,
  type Commit,
  type CommitSig,
  commitHash,
} from '../../../consensus/types/commit.ts';
import { duplicateVoteEvidence } from '../../../consensus/types/duplicate-vote.ts';
import { type Evidence, evidenceListHash } from '../../../consensus/types/evidence.ts';
import type { Header } from '../../../consensus/types/header.ts';
import { timeFromNanos, timeToNanos, type Time } from '../../../consensus/types/time.ts';
import { isTwoThirds } from '../../../consensus/types/validator-set.ts';
import type { Vote } from '../../../consensus/types/vote.ts';
import { concatBytes, EMPTY_BYTES } from '../../../core/bytes.ts';
import { sha256 } from '../../../core/hash.ts';

/** Makes something wrong of a block that is right; undefined when this one has nothing to make it of. */
export type Forge = (block: Block, context: BlockContext) => Block | undefined;

const NANOS_PER_HOUR = 3_600_000_000_000n;
const ADDRESS_BYTES = 20;

/** The forgeries, by what is wrong. */
export const FORGERIES: Readonly<Record<string, Forge>> = {
  'app hash': header(({ appHash }) => ({ appHash: sha256(appHash) })),
  'results hash': header(({ lastResultsHash }) => ({ lastResultsHash: sha256(lastResultsHash) })),
  'consensus hash': header(({ consensusHash }) => ({ consensusHash: sha256(consensusHash) })),
  'validators hash': header(({ validatorsHash }) => ({ validatorsHash: sha256(validatorsHash) })),
  'next validators hash': header(({ nextValidatorsHash }) => ({
    nextValidatorsHash: sha256(nextValidatorsHash),
  })),
  proposer: header(({ proposerAddress }) => ({
    proposerAddress: sha256(proposerAddress).subarray(0, ADDRESS_BYTES),
  })),
  'time, a nanosecond later': header(({ time }) => ({ time: shifted(time, 1n) })),
  'time, a nanosecond earlier': header(({ time }) => ({ time: shifted(time, -1n) })),
  'time, an hour later': header(({ time }) => ({ time: shifted(time, NANOS_PER_HOUR) })),
  'chain id': header(({ chainId }) => ({ chainId: `${chainId}0` })),
  'app version': header(({ version }) => ({ version: { ...version, app: version.app + 1n } })),
  'height above': header(({ height }) => ({ height: height + 1n })),
  'last block id': header(({ lastBlockId: { hash } }) => ({
    lastBlockId: { hash: sha256(hash), partSetHeader: { total: 1, hash: sha256(hash) } },
  })),
  'last commit of another round': lastCommit((commit) => ({ ...commit, round: commit.round + 1 })),
  'signature in the last commit': lastCommit((commit) =>
    firstEntry(commit, (entry) => ({ ...entry, signature: garbledSignature(entry.signature) })),
  ),
  'time in the last commit': lastCommit((commit) =>
    firstEntry(commit, (entry) => ({ ...entry, timestamp: shifted(entry.timestamp, NANOS_PER_HOUR) })),
  ),
  'vote for nil in the last commit': lastCommit((commit) =>
    firstEntry(commit, (entry) => ({
      ...entry,
      blockIdFlag: entry.blockIdFlag === 'nil' ? 'commit' : 'nil',
    })),
  ),
  'too little power in the last commit': lastCommit(withoutPower),
  'last commit of nobody': (block) =>
    block.lastCommit.signatures.length === 0
      ? undefined
      : withCommit(block, { ...block.lastCommit, signatures: [ABSENT_COMMIT_SIG] }),
  'evidence against the honest': falseEvidence,
  'time of evidence': evidence((piece) => [{ ...piece, timestamp: shifted(piece.timestamp, 1n) }]),
  'evidence twice': evidence((piece) => [piece, piece]),
};

function header(change: (header: Header) => Partial<Header>): Forge {
  return (block) => ({ ...block, header: { ...block.header, ...change(block.header) } });
}

/** Another last commit, with which the rest of the block agrees. */
function lastCommit(change: (commit: Commit, context: BlockContext) => Commit | undefined): Forge {
  return (block, context) => {
    if (block.lastCommit.signatures.length === 0) return undefined;
    const changed = change(block.lastCommit, context);
    if (changed === undefined) return undefined;
    const made = withCommit(block, changed);
    return { ...made, header: { ...made.header, time: blockTime(context, changed) } };
  };
}

function withCommit(block: Block, commit: Commit): Block {
  return { ...block, lastCommit: commit, header: { ...block.header, lastCommitHash: commitHash(commit) } };
}

function firstEntry(commit: Commit, change: (entry: CommitSig) => CommitSig): Commit {
  const at = commit.signatures.findIndex(({ blockIdFlag }) => blockIdFlag !== 'absent');
  const signatures = commit.signatures.map((entry, index) => (index === at ? change(entry) : entry));
  return { ...commit, signatures };
}

/** As many entries are taken out as it takes until the rest is not more than two thirds. */
function withoutPower(commit: Commit, { lastValidators }: BlockContext): Commit | undefined {
  const powers = commit.signatures.map(({ blockIdFlag }, index) =>
    blockIdFlag === 'commit' ? (lastValidators.validators[index]?.votingPower ?? 0n) : 0n,
  );
  let power = powers.reduce((sum, each) => sum + each, 0n);
  const signatures = commit.signatures.map((entry, index) => {
    const own = powers[index] ?? 0n;
    if (own === 0n || !isTwoThirds(lastValidators, power)) return entry;
    power -= own;
    return ABSENT_COMMIT_SIG;
  });
  const isSigned = signatures.some(({ blockIdFlag }) => blockIdFlag !== 'absent');
  return isSigned ? { ...commit, signatures } : undefined;
}

/** A precommit of the last block's commit, and the same signature under a vote for another block. */
function falseEvidence(block: Block, context: BlockContext): Block | undefined {
  const { lastCommit: commit } = block;
  const validatorIndex = commit.signatures.findIndex(({ blockIdFlag }) => blockIdFlag === 'commit');
  const entry = commit.signatures[validatorIndex];
  if (entry === undefined) return undefined;
  const { validatorAddress, timestamp, signature } = entry;
  const { height, round, blockId } = commit;
  const first: Vote = {
    type: 'precommit',
    height,
    round,
    blockId,
    validatorAddress,
    validatorIndex,
    timestamp,
    signature,
    extension: EMPTY_BYTES,
    extensionSignature: EMPTY_BYTES,
  };
  const hash = sha256(blockId.hash);
  const second = { ...first, blockId: { hash, partSetHeader: { total: 1, hash } } };
  const votes = { first, second, blockTime: context.lastBlockTime, validators: context.lastValidators };
  return withEvidence(block, [...block.evidence, duplicateVoteEvidence(votes)]);
}

/** Something else in the place of the first piece of evidence. */
function evidence(change: (piece: Evidence) => readonly Evidence[]): Forge {
  return (block) => {
    const [first, ...rest] = block.evidence;
    return first === undefined ? undefined : withEvidence(block, [...change(first), ...rest]);
  };
}

function withEvidence(block: Block, list: readonly Evidence[]): Block {
  return { ...block, evidence: list, header: { ...block.header, evidenceHash: evidenceListHash(list) } };
}

function shifted(time: Time, nanos: bigint): Time {
  return timeFromNanos(timeToNanos(time) + nanos);
}

function garbledSignature(signature: Uint8Array): Uint8Array {
  const half = sha256(signature);
  return concatBytes(half, half);
}
