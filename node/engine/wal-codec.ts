/** Inputs of the core, and block parts, as records of the write-ahead log. */
import type { LoggedInput, TimeoutKind, Validity } from '../../consensus/input.ts';
import type { BlockId } from '../../consensus/types/block-id.ts';
import { decodeCommit, encodeCommit } from '../../consensus/types/commit.ts';
import { decodePart, encodePart, type Part } from '../../consensus/types/part-set.ts';
import { decodeProposal, encodeProposal } from '../../consensus/types/proposal.ts';
import { decodeVote, encodeVote } from '../../consensus/types/vote.ts';
import { concatBytes, fromUint64BigEndian, uint64BigEndian } from '../../core/bytes.ts';
import { DecodeError } from '../../core/errors.ts';
import { BlockID } from '../../proto/gen/tendermint/types/types.ts';
import type { LogRecord } from './ports.ts';

// Stable: they are on disk.
const TYPES = {
  proposal: 1,
  vote: 2,
  value: 3,
  proposeValue: 4,
  signedProposal: 5,
  signedVote: 6,
  timeoutElapsed: 7,
  decidedBySync: 8,
} as const;
const PART_TYPE = 9;

const VALIDITIES: readonly Validity[] = ['accepted', 'rejected', 'invalid'];
const TIMEOUT_KINDS: readonly TimeoutKind[] = ['propose', 'prevote', 'precommit', 'commit'];

/** What a record holds. */
export type LoggedItem =
  | { readonly kind: 'input'; readonly input: LoggedInput }
  | { readonly kind: 'part'; readonly part: Part };

/** The record of a block part. */
export function partRecord(part: Part): LogRecord {
  return { type: PART_TYPE, payload: encodePart(part) };
}

/** The record of an input. */
export function inputRecord(input: LoggedInput): LogRecord {
  return { type: TYPES[input.kind], payload: inputPayload(input) };
}

function inputPayload(input: LoggedInput): Uint8Array {
  switch (input.kind) {
    case 'proposal':
    case 'signedProposal':
      return encodeProposal(input.proposal);
    case 'vote':
    case 'signedVote':
      return encodeVote(input.vote);
    case 'value':
      return concatBytes(
        Uint8Array.of(VALIDITIES.indexOf(input.validity)),
        uint64BigEndian(input.height),
        BlockID.encode(input.blockId),
      );
    case 'proposeValue':
      return concatBytes(
        uint64BigEndian(input.height),
        uint64BigEndian(BigInt(input.round)),
        BlockID.encode(input.blockId),
      );
    case 'timeoutElapsed':
      return concatBytes(
        Uint8Array.of(TIMEOUT_KINDS.indexOf(input.timeout.kind)),
        uint64BigEndian(input.timeout.height),
        uint64BigEndian(BigInt(input.timeout.round)),
      );
    case 'decidedBySync':
      return encodeCommit(input.commit);
  }
}

/**
 * Reads a record back.
 * @throws DecodeError when it is not one that was written by this codec
 */
export function readRecord({ type, payload }: LogRecord): LoggedItem {
  if (type === PART_TYPE) return { kind: 'part', part: decodePart(payload) };
  return { kind: 'input', input: readInput(type, payload) };
}

function readInput(type: number, payload: Uint8Array): LoggedInput {
  switch (type) {
    case TYPES.proposal:
      return { kind: 'proposal', proposal: decodeProposal(payload) };
    case TYPES.signedProposal:
      return { kind: 'signedProposal', proposal: decodeProposal(payload) };
    case TYPES.vote:
      return { kind: 'vote', vote: decodeVote(payload) };
    case TYPES.signedVote:
      return { kind: 'signedVote', vote: decodeVote(payload) };
    case TYPES.value: {
      const validity = oneOf(VALIDITIES, payload[0], 'validity');
      return { kind: 'value', validity, height: heightAt(payload, 1), blockId: blockIdAt(payload, 9) };
    }
    case TYPES.proposeValue: {
      const round = Number(heightAt(payload, 8));
      return { kind: 'proposeValue', height: heightAt(payload, 0), round, blockId: blockIdAt(payload, 16) };
    }
    case TYPES.timeoutElapsed: {
      const kind = oneOf(TIMEOUT_KINDS, payload[0], 'timeout kind');
      const round = Number(heightAt(payload, 9));
      return { kind: 'timeoutElapsed', timeout: { kind, height: heightAt(payload, 1), round } };
    }
    case TYPES.decidedBySync:
      return { kind: 'decidedBySync', commit: decodeCommit(payload) };
    default:
      throw new DecodeError(
        'the consensus log holds a record of an unknown type; was it written by a newer version?',
        {
          type,
        },
      );
  }
}

function oneOf<T>(names: readonly T[], index: number | undefined, what: string): T {
  const found = names[index ?? -1];
  if (found === undefined) throw new DecodeError(`the consensus log holds an unknown ${what}`, { index });
  return found;
}

function heightAt(payload: Uint8Array, offset: number): bigint {
  return fromUint64BigEndian(payload.subarray(offset, offset + 8));
}

function blockIdAt(payload: Uint8Array, offset: number): BlockId {
  return BlockID.decode(payload.subarray(offset));
}
