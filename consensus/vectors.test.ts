/** Byte truth: every encoding, hash and rule against CometBFT v0.38 (`test/vectors/cometbft/README.md`). */
import { createPublicKey, verify as nodeVerify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../core/bytes.ts';
import { verifyMerkleProof } from '../core/merkle.ts';
import { ConsensusParams as ConsensusParamsMessage } from '../proto/gen/tendermint/types/params.ts';
import { Evidence as EvidenceMessage } from '../proto/gen/tendermint/types/evidence.ts';
import {
  incrementProposerPriority,
  newValidatorSet,
  updateValidators,
  type ValidatorChange,
} from './proposer.ts';
import { cutBlock, dataHash, decodeBlock, encodeBlock } from './types/block.ts';
import type { BlockId } from './types/block-id.ts';
import { commitHash, commitSignBytes, decodeCommit, EMPTY_COMMIT, encodeCommit } from './types/commit.ts';
import {
  evidenceBytes,
  evidenceFromMessage,
  evidenceHash,
  evidenceListHash,
  evidenceToMessage,
} from './types/evidence.ts';
import { decodeHeader, encodeHeader, headerHash } from './types/header.ts';
import { medianTime } from './types/median-time.ts';
import {
  checkConsensusParams,
  type ConsensusParams,
  consensusParamsHash,
  DEFAULT_CONSENSUS_PARAMS,
  encodeConsensusParams,
  updateConsensusParams,
} from './types/params.ts';
import { decodePart, encodePart, partsOf } from './types/part-set.ts';
import { decodeProposal, encodeProposal, verifyProposal } from './types/proposal.ts';
import { addressOf, type VerifySignature } from './types/public-key.ts';
import { resultsHash } from './types/results.ts';
import { proposalSignBytes, voteSignBytes } from './types/sign-bytes.ts';
import type { PublicKey, ValidatorSet } from './types/validator.ts';
import {
  decodeValidatorSet,
  encodeValidatorSet,
  simpleValidatorBytes,
  validatorsHash,
} from './types/validator-set.ts';
import { verifyCommit, verifyCommitLight } from './types/verify-commit.ts';
import { decodeVote, encodeVote, verifyVote } from './types/vote.ts';

interface KeyJson {
  readonly type: PublicKey['type'];
  readonly key: string;
  readonly power: string;
  readonly priority: string;
}
interface BlockIdJson {
  readonly hash: string;
  readonly total: number;
  readonly partsHash: string;
}
interface TimeJson {
  readonly seconds: string;
  readonly nanos: number;
}
interface SetJson {
  readonly proposer: string;
  readonly priorities: readonly string[];
  readonly validators?: readonly { readonly address: string; readonly power: string }[];
  readonly hash?: string;
  readonly total?: string;
}

function load<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../test/vectors/cometbft/${name}`, import.meta.url), 'utf8')) as T;
}

const ED25519_SPKI_PREFIX = fromHex('302a300506032b6570032100');

/**
 * RFC 8032 ed25519 from Node, secp256k1 from noble: oracles that share no code with the node's own
 * verifier.
 */
const verify: VerifySignature = (publicKey, message, signature) => {
  if (publicKey.type === 'secp256k1') {
    return signature.length === 64 && secp256k1.verify(signature, message, publicKey.bytes);
  }
  const key = Buffer.concat([ED25519_SPKI_PREFIX, publicKey.bytes]);
  return nodeVerify(null, message, createPublicKey({ key, format: 'der', type: 'spki' }), signature);
};

function keyOf(json: KeyJson): PublicKey {
  return { type: json.type, bytes: fromHex(json.key) };
}
function changeOf(json: KeyJson): ValidatorChange {
  return { publicKey: keyOf(json), votingPower: BigInt(json.power) };
}
function blockIdOf(json: BlockIdJson): BlockId {
  return { hash: fromHex(json.hash), partSetHeader: { total: json.total, hash: fromHex(json.partsHash) } };
}
function blockIdText(id: BlockId): BlockIdJson {
  return { hash: toHex(id.hash), total: id.partSetHeader.total, partsHash: toHex(id.partSetHeader.hash) };
}
function timeText(time: { seconds: bigint; nanos: number }): TimeJson {
  return { seconds: String(time.seconds), nanos: time.nanos };
}
function setText(set: ValidatorSet, like: SetJson): SetJson {
  const text: SetJson = {
    proposer: toHex(set.proposer?.address ?? new Uint8Array(0)),
    priorities: set.validators.map((validator) => String(validator.proposerPriority)),
  };
  if (like.validators === undefined) return text;
  return {
    ...text,
    validators: set.validators.map(({ address, votingPower }) => ({
      address: toHex(address),
      power: String(votingPower),
    })),
    hash: toHex(validatorsHash(set)),
    total: String(set.totalVotingPower),
  };
}
function refused(run: () => unknown): boolean {
  try {
    run();
    return false;
  } catch {
    return true;
  }
}

describe('proposer selection', () => {
  interface Step {
    readonly changes?: readonly KeyJson[];
    readonly error?: string;
    readonly times?: number;
    readonly state: SetJson;
  }
  interface Scenario {
    readonly name: string;
    readonly validators: readonly KeyJson[];
    readonly initial: SetJson;
    readonly steps: readonly Step[];
  }
  const { scenarios, clipping } = load<{
    scenarios: readonly Scenario[];
    clipping: readonly { validators: readonly KeyJson[]; times: number; state: SetJson }[];
  }>('proposer.json');

  it.each(scenarios)('$name: priorities, proposer, order and hash at every step', (scenario) => {
    let set = newValidatorSet(scenario.validators.map(changeOf));
    expect(setText(set, scenario.initial)).toEqual(scenario.initial);
    for (const [index, step] of scenario.steps.entries()) {
      const changes = (step.changes ?? []).map(changeOf);
      if (step.error === undefined) {
        set = incrementProposerPriority(updateValidators(set, changes), step.times ?? 1);
      } else {
        expect(() => updateValidators(set, changes), step.error).toThrow();
      }
      expect(setText(set, step.state), `step ${index}`).toEqual(step.state);
    }
  });

  it('covers at least 200 steps, with refused changes among them', () => {
    const steps = scenarios.flatMap((scenario) => scenario.steps);
    expect(steps.length).toBeGreaterThanOrEqual(200);
    expect(steps.filter((step) => step.error !== undefined).length).toBeGreaterThanOrEqual(6);
  });

  it('clips and wraps like int64', () => {
    for (const { validators, times, state } of clipping) {
      const members = validators.map((json) => ({
        address: addressOf(keyOf(json)),
        publicKey: keyOf(json),
        votingPower: BigInt(json.power),
        proposerPriority: BigInt(json.priority),
      }));
      const totalVotingPower = members.reduce((sum, member) => sum + member.votingPower, 0n);
      const set = { validators: members, proposer: undefined, totalVotingPower };
      expect(setText(incrementProposerPriority(set, times), state)).toEqual(state);
    }
  });
});

describe('votes, proposals and keys', () => {
  interface Signed {
    readonly chainId: string;
    readonly bytes: string;
    readonly signBytes: string;
    readonly publicKey: string;
    readonly type: string;
    readonly height: string;
    readonly round: number;
    readonly polRound: number;
    readonly blockId: BlockIdJson;
    readonly timestamp: TimeJson;
    readonly index: number;
    readonly address: string;
    readonly signature: string;
  }
  const vectors = load<{
    votes: readonly Signed[];
    proposals: readonly Signed[];
    keys: readonly (KeyJson & { address: string; simpleValidator: string })[];
  }>('signing.json');

  it('reads, writes and signs votes as CometBFT does', () => {
    for (const vector of vectors.votes) {
      const vote = decodeVote(fromHex(vector.bytes));
      expect(toHex(encodeVote(vote))).toBe(vector.bytes);
      expect(toHex(voteSignBytes(vector.chainId, vote))).toBe(vector.signBytes);
      expect({
        type: vote.type,
        height: String(vote.height),
        round: vote.round,
        blockId: blockIdText(vote.blockId),
        timestamp: timeText(vote.timestamp),
        index: vote.validatorIndex,
        address: toHex(vote.validatorAddress),
        signature: toHex(vote.signature),
      }).toEqual({
        type: vector.type,
        height: vector.height,
        round: vector.round,
        blockId: vector.blockId,
        timestamp: vector.timestamp,
        index: vector.index,
        address: vector.address,
        signature: vector.signature,
      });
    }
  });

  it('verifies a vote by index and address, and nothing else', () => {
    const vector = vectors.votes[0];
    if (vector === undefined) throw new Error('no vote');
    const publicKey: PublicKey = { type: 'ed25519', bytes: fromHex(vector.publicKey) };
    const validators = newValidatorSet([{ publicKey, votingPower: 1n }]);
    const vote = { ...decodeVote(fromHex(vector.bytes)), validatorIndex: 0 };
    const signer = { chainId: vector.chainId, validators, verify };
    expect(verifyVote(vote, signer)).toBe(true);
    expect(verifyVote({ ...vote, validatorIndex: 1 }, signer)).toBe(false);
    expect(verifyVote({ ...vote, validatorAddress: new Uint8Array(20) }, signer)).toBe(false);
    expect(verifyVote({ ...vote, round: vote.round + 1 }, signer)).toBe(false);
    expect(verifyVote(vote, { ...signer, chainId: 'other' })).toBe(false);
  });

  it('reads, writes and signs proposals as CometBFT does', () => {
    for (const vector of vectors.proposals) {
      const proposal = decodeProposal(fromHex(vector.bytes));
      expect(toHex(encodeProposal(proposal))).toBe(vector.bytes);
      expect(toHex(proposalSignBytes(vector.chainId, proposal))).toBe(vector.signBytes);
      expect(proposal).toMatchObject({
        height: BigInt(vector.height),
        round: vector.round,
        polRound: vector.polRound,
      });
      expect(blockIdText(proposal.blockId)).toEqual(vector.blockId);
      const publicKey: PublicKey = { type: 'ed25519', bytes: fromHex(vector.publicKey) };
      const [proposer] = newValidatorSet([{ publicKey, votingPower: 1n }]).validators;
      if (proposer === undefined) throw new Error('no proposer');
      const signer = { chainId: vector.chainId, proposer, verify };
      expect(verifyProposal(proposal, signer)).toBe(true);
      expect(verifyProposal({ ...proposal, height: proposal.height - 1n }, signer)).toBe(false);
    }
  });

  it('derives addresses and hashes validators as CometBFT does', () => {
    for (const vector of vectors.keys) {
      expect(toHex(addressOf(keyOf(vector)))).toBe(vector.address);
      const { publicKey, votingPower } = changeOf(vector);
      expect(toHex(simpleValidatorBytes({ publicKey, votingPower }))).toBe(vector.simpleValidator);
    }
  });
});

describe('commits', () => {
  interface CommitJson {
    readonly name: string;
    readonly chainId: string;
    readonly commit: string;
    readonly hash: string;
    readonly validatorSet: string;
    readonly validatorsHash: string;
    readonly height: string;
    readonly blockId: BlockIdJson;
    readonly total: string;
    readonly proposer: string;
    readonly signBytes: readonly string[];
    readonly medianTime: TimeJson;
    readonly verify: boolean;
    readonly verifyLight: boolean;
  }
  const vectors = load<{
    commits: readonly CommitJson[];
    broken: readonly CommitJson[];
    median: readonly CommitJson[];
  }>('commits.json');

  function checkOf(vector: CommitJson): Parameters<typeof verifyCommit>[0] {
    return {
      chainId: vector.chainId,
      validators: decodeValidatorSet(fromHex(vector.validatorSet)),
      height: BigInt(vector.height),
      blockId: blockIdOf(vector.blockId),
      commit: decodeCommit(fromHex(vector.commit)),
      verify,
    };
  }

  it('reads, writes and hashes commits and validator sets as CometBFT does', () => {
    for (const vector of vectors.commits) {
      const commit = decodeCommit(fromHex(vector.commit));
      expect(toHex(encodeCommit(commit))).toBe(vector.commit);
      expect(toHex(commitHash(commit))).toBe(vector.hash);
      const signBytes = commit.signatures.map((_entry, index) =>
        commitSignBytes(vector.chainId, commit, index),
      );
      expect(signBytes.map((bytes) => (bytes === undefined ? '' : toHex(bytes)))).toEqual(vector.signBytes);
      const set = decodeValidatorSet(fromHex(vector.validatorSet));
      expect(toHex(encodeValidatorSet(set))).toBe(vector.validatorSet);
      expect(toHex(validatorsHash(set))).toBe(vector.validatorsHash);
      expect(String(set.totalVotingPower)).toBe(vector.total);
      expect(timeText(medianTime(commit, set))).toEqual(vector.medianTime);
    }
  });

  it('takes and refuses the same commits', () => {
    const verdicts = new Set<string>();
    for (const vector of [...vectors.commits, ...vectors.broken]) {
      const verdict = {
        verify: !refused(() => verifyCommit(checkOf(vector))),
        verifyLight: !refused(() => verifyCommitLight(checkOf(vector))),
      };
      expect(verdict, vector.name).toEqual({ verify: vector.verify, verifyLight: vector.verifyLight });
      verdicts.add(`${verdict.verify} ${verdict.verifyLight}`);
    }
    expect([...verdicts].sort()).toEqual(['false false', 'false true', 'true true']);
  });

  it('finds the same weighted medians', () => {
    expect(vectors.median.length).toBe(40);
    for (const vector of vectors.median) {
      const commit = decodeCommit(fromHex(vector.commit));
      const set = decodeValidatorSet(fromHex(vector.validatorSet));
      expect(timeText(medianTime(commit, set))).toEqual(vector.medianTime);
    }
  });
});

describe('blocks', () => {
  interface PartSetJson {
    readonly partBytes: number;
    readonly total: number;
    readonly hash: string;
    readonly parts?: readonly string[];
  }
  interface BlockJson {
    readonly bytes: string;
    readonly hash: string;
    readonly header: string;
    readonly dataHash: string;
    readonly lastCommitHash: string;
    readonly evidenceHash: string;
    readonly height: string;
    readonly time: TimeJson;
    readonly txs: number;
    readonly partSets: readonly PartSetJson[];
  }
  const vectors = load<{
    blocks: readonly BlockJson[];
    big: {
      length: number;
      total: number;
      hash: string;
      proofs: readonly { leafHash: string; aunts: readonly string[] }[];
    };
    evidence: readonly { bytes: string; wrapped: string; hash: string; listHash: string }[];
    emptyEvidenceHash: string;
    emptyDataHash: string;
    emptyCommitHash: string;
  }>('blocks.json');

  it('reads, writes and hashes blocks as CometBFT does', () => {
    for (const vector of vectors.blocks) {
      const block = decodeBlock(fromHex(vector.bytes));
      expect(toHex(encodeBlock(block))).toBe(vector.bytes);
      expect(toHex(headerHash(block.header))).toBe(vector.hash);
      expect(toHex(encodeHeader(block.header))).toBe(vector.header);
      expect(decodeHeader(fromHex(vector.header))).toEqual(block.header);
      expect(toHex(dataHash(block.txs))).toBe(vector.dataHash);
      expect(toHex(commitHash(block.lastCommit))).toBe(vector.lastCommitHash);
      expect(toHex(evidenceListHash(block.evidence))).toBe(vector.evidenceHash);
      expect([String(block.header.height), timeText(block.header.time), block.txs.length]).toEqual([
        vector.height,
        vector.time,
        vector.txs,
      ]);
      expect(toHex(cutBlock(block).blockId.hash)).toBe(vector.hash);
    }
  });

  it('cuts blocks into the same parts with the same proofs', () => {
    for (const vector of vectors.blocks) {
      for (const expected of vector.partSets) {
        const { header, parts } = partsOf(fromHex(vector.bytes), expected.partBytes);
        expect({ total: header.total, hash: toHex(header.hash) }).toEqual({
          total: expected.total,
          hash: expected.hash,
        });
        for (const [index, bytes] of (expected.parts ?? []).entries()) {
          const part = decodePart(fromHex(bytes));
          const own = parts[index];
          expect(own === undefined ? '' : toHex(encodePart(own))).toBe(bytes);
          expect(toHex(encodePart(part))).toBe(bytes);
          expect(verifyMerkleProof(part.proof, header.hash, part.bytes)).toBe(true);
        }
      }
    }
  });

  it('cuts a large block into 64 KiB parts', () => {
    const { big } = vectors;
    const bytes = Uint8Array.from({ length: big.length }, (_, k) => (k * k + Math.floor(k / 7)) % 251);
    const { header, parts } = partsOf(bytes);
    expect({ total: header.total, hash: toHex(header.hash) }).toEqual({ total: big.total, hash: big.hash });
    expect(
      parts.map(({ proof }) => ({ leafHash: toHex(proof.leafHash), aunts: proof.aunts.map(toHex) })),
    ).toEqual(big.proofs);
  });

  it('reads, writes and hashes evidence as CometBFT does', () => {
    for (const vector of vectors.evidence) {
      const evidence = evidenceFromMessage(EvidenceMessage.decode(fromHex(vector.wrapped)));
      expect(toHex(EvidenceMessage.encode(evidenceToMessage(evidence)))).toBe(vector.wrapped);
      expect(toHex(evidenceBytes(evidence))).toBe(vector.bytes);
      expect(toHex(evidenceHash(evidence))).toBe(vector.hash);
      expect(toHex(evidenceListHash([evidence]))).toBe(vector.listHash);
    }
  });

  it('hashes nothing as CometBFT does', () => {
    expect(toHex(evidenceListHash([]))).toBe(vectors.emptyEvidenceHash);
    expect(toHex(dataHash([]))).toBe(vectors.emptyDataHash);
    expect(toHex(commitHash(EMPTY_COMMIT))).toBe(vectors.emptyCommitHash);
  });
});

describe('parameters and results', () => {
  const vectors = load<{
    params: readonly { bytes: string; hash: string; valid: boolean; maxBytes: string; maxGas: string }[];
    results: readonly {
      results: readonly { code: number; data: string; gasWanted: string; gasUsed: string }[];
      hash: string;
    }[];
  }>('params.json');

  it('reads, writes and hashes consensus parameters as CometBFT does', () => {
    for (const vector of vectors.params) {
      const message = ConsensusParamsMessage.decode(fromHex(vector.bytes));
      const enabled = (message.abci?.voteExtensionsEnableHeight ?? 0n) > 0n;
      expect(refused(() => updateConsensusParams(DEFAULT_CONSENSUS_PARAMS, message))).toBe(
        enabled || !vector.valid,
      );
      const params: ConsensusParams = {
        ...DEFAULT_CONSENSUS_PARAMS,
        ...(message as Partial<ConsensusParams>),
      };
      expect(toHex(consensusParamsHash(params))).toBe(vector.hash);
      expect(toHex(encodeConsensusParams(params))).toBe(vector.bytes);
      expect([String(params.block.maxBytes), String(params.block.maxGas)]).toEqual([
        vector.maxBytes,
        vector.maxGas,
      ]);
    }
    expect(toHex(encodeConsensusParams(checkConsensusParams(DEFAULT_CONSENSUS_PARAMS)))).toBe(
      vectors.params[0]?.bytes,
    );
  });

  it('hashes results as CometBFT does', () => {
    for (const vector of vectors.results) {
      const results = vector.results.map(({ code, data, gasWanted, gasUsed }) => ({
        code,
        data: fromHex(data),
        gasWanted: BigInt(gasWanted),
        gasUsed: BigInt(gasUsed),
      }));
      expect(toHex(resultsHash(results))).toBe(vector.hash);
    }
  });
});
