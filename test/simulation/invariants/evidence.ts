/**
 * Evidence: for every equivocation of which an honest node was given the first half while it was at that
 * height, in whatever round up to its next one, and the second then or at the next height, it is on the
 * chain, or waits at that node for a block; on the chain once; never against the honest. A restart excuses
 * nothing once the node has committed a block more: such votes are on its disk.
 */
import { type Evidence, evidenceHash } from '../../../consensus/types/evidence.ts';
import { toHex } from '../../../core/bytes.ts';
import type { Fail, Invariant, Subject, VoteFact } from '../facts.ts';

interface Offence {
  readonly subject: Subject;
  /** How often the subject had been started: what it has in memory only goes with the process. */
  readonly starts: number;
  readonly height: bigint;
  readonly name: string;
  /** Where the subject stood when it was given the second half. */
  readonly stoodAt: bigint;
  /** The subject has gone on since: it must remember. */
  isSealed: boolean;
}

const placeOf = ({ address, height, round, type }: Omit<VoteFact, 'subject' | 'value'>): string =>
  `${address} ${height}/${round} ${type}`;

function accusedBy(piece: Evidence): readonly string[] {
  if (piece.kind === 'duplicateVote') return [toHex(piece.voteA.validatorAddress)];
  return piece.byzantineValidators.map(({ address }) => toHex(address));
}

/** See the file comment. */
export function evidence(fail: Fail, isHonestAddress: (address: string) => boolean): Invariant {
  const committedAt = new Map<string, bigint>();
  const proven = new Set<string>();
  const given = new Map<string, string>();
  const offences = new Map<string, Offence>();

  return {
    name: 'evidence',
    voted(fact) {
      const { subject, height, round, value } = fact;
      const at = subject.standsAt();
      if (!subject.isHonest || at === undefined) return;
      const isCurrent = at.height === height && round <= at.round + 1;
      if (!isCurrent && at.height !== height + 1n) return;
      const place = placeOf(fact);
      const key = `${subject.name} ${subject.starts} ${place}`;
      const before = given.get(key);
      if (before === undefined) {
        if (isCurrent) given.set(key, value);
      } else if (before !== value && !offences.has(key)) {
        const { starts } = subject;
        offences.set(key, { subject, starts, height, name: place, stoodAt: at.height, isSealed: false });
      }
    },
    committed({ subject, committed: { height, block } }) {
      for (const offence of offences.values()) {
        const isSame = offence.subject === subject && offence.starts === subject.starts;
        if (isSame && height > offence.stoodAt) offence.isSealed = true;
      }
      for (const piece of block.evidence) {
        const hash = toHex(evidenceHash(piece));
        const before = committedAt.get(hash);
        if (before !== undefined && before !== height) {
          fail(`one piece of evidence is in the blocks of heights ${before} and ${height}`);
        }
        committedAt.set(hash, height);
        for (const address of accusedBy(piece)) {
          if (isHonestAddress(address))
            fail(`block ${height} of ${subject.name} holds evidence against ${address}, which is honest`);
          if (piece.kind === 'duplicateVote') proven.add(placeOf({ ...piece.voteA, address }));
        }
      }
    },
    ended() {
      for (const { subject, starts, height, name, isSealed } of offences.values()) {
        if (proven.has(name) || (subject.starts !== starts && !isSealed)) continue;
        if (subject.standsAt() === undefined || subject.height <= height) continue;
        if (
          subject
            .pendingEvidence()
            .some(
              (piece) =>
                piece.kind === 'duplicateVote' &&
                placeOf({ ...piece.voteA, address: toHex(piece.voteA.validatorAddress) }) === name,
            )
        )
          continue;
        fail(`${subject.name} was given two votes of ${name}, and there is no evidence of it`);
      }
    },
  };
}
