/**
 * Proof that validators misbehaved, as it stands in a block. The kinds have files of their own; what is
 * common to them is here.
 */
import { DecodeError } from '../../core/errors.ts';
import { sha256 } from '../../core/hash.ts';
import { merkleRoot } from '../../core/merkle.ts';
import {
  DuplicateVoteEvidence as DuplicateVoteEvidenceMessage,
  type Evidence as EvidenceMessage,
  Evidence as EvidenceCodec,
  type EvidenceList as EvidenceListMessage,
  EvidenceList as EvidenceListCodec,
  LightClientAttackEvidence as LightClientAttackMessage,
} from '../../proto/gen/tendermint/types/evidence.ts';
import {
  type DuplicateVoteEvidence,
  duplicateVoteFromMessage,
  duplicateVoteToMessage,
} from './duplicate-vote.ts';
import {
  type LightClientAttackEvidence,
  lightClientAttackFromMessage,
  lightClientAttackHash,
  lightClientAttackToMessage,
} from './light-client-attack.ts';
import type { Time } from './time.ts';

/** Proof that one or more validators misbehaved. */
export type Evidence = DuplicateVoteEvidence | LightClientAttackEvidence;

/** Most pieces of evidence in one block, whatever the parameters say. */
export const EVIDENCE_MAX = 4096;

/**
 * Most elements of lists in a message of evidence, at all depths. An attack by as many validators as there
 * may be has three lists of them. Two bytes may claim to be an element, which takes a hundred times that.
 */
const EVIDENCE_ELEMENTS_MAX = 100_000;

/**
 * The height that counts for expiry, and whose validators are to blame: that of the votes, or the common one.
 */
export function evidenceHeight(evidence: Evidence): bigint {
  return evidence.kind === 'duplicateVote' ? evidence.voteA.height : evidence.commonHeight;
}

/** What the evidence says was the time of the block at `evidenceHeight`. */
export function evidenceTime(evidence: Evidence): Time {
  return evidence.timestamp;
}

/** A piece of evidence in its own encoding: what is hashed, and what counts against the size limit. */
export function evidenceBytes(evidence: Evidence): Uint8Array {
  return evidence.kind === 'duplicateVote'
    ? DuplicateVoteEvidenceMessage.encode(duplicateVoteToMessage(evidence))
    : LightClientAttackMessage.encode(lightClientAttackToMessage(evidence));
}

/** The id of a piece of evidence: 32 bytes. */
export function evidenceHash(evidence: Evidence): Uint8Array {
  return evidence.kind === 'duplicateVote'
    ? sha256(evidenceBytes(evidence))
    : lightClientAttackHash(evidence);
}

/** Elements of lists in the encoding of a list of evidence: what `BLOCK_ELEMENTS_MAX` counts. */
export function evidenceElements(list: readonly Evidence[]): number {
  let count = list.length;
  for (const evidence of list) {
    if (evidence.kind === 'duplicateVote') continue;
    const { commit, validators } = evidence.conflictingBlock;
    count += commit.signatures.length + validators.validators.length + evidence.byzantineValidators.length;
  }
  return count;
}

/** The header's `evidenceHash`: 32 bytes over a block's evidence. */
export function evidenceListHash(list: readonly Evidence[]): Uint8Array {
  return merkleRoot(list.map(evidenceBytes));
}

/** The evidence as it stands in a block. */
export function evidenceToMessage(evidence: Evidence): EvidenceMessage {
  return evidence.kind === 'duplicateVote'
    ? { duplicateVoteEvidence: duplicateVoteToMessage(evidence), lightClientAttackEvidence: undefined }
    : { duplicateVoteEvidence: undefined, lightClientAttackEvidence: lightClientAttackToMessage(evidence) };
}

/** @throws DecodeError when there is too much of it, or something that is no evidence */
export function evidenceListFromMessage(message: EvidenceListMessage): Evidence[] {
  if (message.evidence.length > EVIDENCE_MAX) throw new DecodeError('block: too much evidence');
  return message.evidence.map(evidenceFromMessage);
}

/** @throws DecodeError when it is of an unknown kind, or of a form that its kind cannot have */
export function evidenceFromMessage(message: EvidenceMessage): Evidence {
  const { duplicateVoteEvidence, lightClientAttackEvidence } = message;
  if (duplicateVoteEvidence !== undefined) return duplicateVoteFromMessage(duplicateVoteEvidence);
  if (lightClientAttackEvidence !== undefined) return lightClientAttackFromMessage(lightClientAttackEvidence);
  throw new DecodeError('evidence: unknown kind');
}

/** A list as it travels between nodes (tendermint.types.EvidenceList). */
export function encodeEvidenceList(list: readonly Evidence[]): Uint8Array {
  return EvidenceListCodec.encode({ evidence: list.map(evidenceToMessage) });
}

/** @throws DecodeError as `evidenceListFromMessage` */
export function decodeEvidenceList(bytes: Uint8Array): Evidence[] {
  return evidenceListFromMessage(EvidenceListCodec.decode(bytes, { elementsMax: EVIDENCE_ELEMENTS_MAX }));
}

/** One piece as it is stored (tendermint.types.Evidence). */
export function encodeEvidence(evidence: Evidence): Uint8Array {
  return EvidenceCodec.encode(evidenceToMessage(evidence));
}

/** @throws DecodeError as `evidenceFromMessage` */
export function decodeEvidence(bytes: Uint8Array): Evidence {
  return evidenceFromMessage(EvidenceCodec.decode(bytes, { elementsMax: EVIDENCE_ELEMENTS_MAX }));
}
