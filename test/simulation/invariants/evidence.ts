/**
 * Evidence: for every equivocation of which an honest node was given the first half while it was at that
 * height, in whatever round up to its next one, and the second then or at the next height, it is on the
 * chain, or waits at that node for a block; on the chain once; never against the honest. A restart excuses
 * nothing once the node has committed a block more; nor, when its engine had both votes before the block of
 * their height was decided, once it has that block: such votes are on its disk.
 */
import { type Evidence, evidenceHash } from '../../../consensus/types/evidence.ts';
import type { Vote } from '../../../consensus/types/vote.ts';
import { toHex } from '../../../core/bytes.ts';
import type { Fail, Invariant, NoticedFact, Subject, VoteFact } from '../facts.ts';

interface Offence {
  readonly subject: Subject;
  /** How often the subject had been started: what it has in memory only goes with the process. */
  readonly starts: number;
  readonly height: bigint;
  readonly name: string;
  /** With the block of this height the subject must remember. */
  keptFrom: bigint;
  /** It has that block. */
  isSealed: boolean;
}

const placeOf = ({
  address,
  height,
  round,
  type,
}: Pick<VoteFact, 'address' | 'height' | 'round' | 'type'>): string =>
  `${address} ${height}/${round} ${type}`;

const placeOfVote = (vote: Vote): string => placeOf({ ...vote, address: toHex(vote.validatorAddress) });

/** It waits for a block, or for room among what does. */
function keeps(subject: Subject, name: string): boolean {
  const pieces = subject.pendingEvidence();
  return (
    pieces.some((piece) => piece.kind === 'duplicateVote' && placeOfVote(piece.voteA) === name) ||
    subject.conflictingVotes().some((vote) => placeOfVote(vote) === name)
  );
}

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

  const owes = (fact: NoticedFact): void => {
    const { subject, height, keptFrom } = fact;
    const { starts } = subject;
    const name = placeOf(fact);
    const key = `${subject.name} ${starts} ${name}`;
    const known = offences.get(key);
    if (known === undefined) offences.set(key, { subject, starts, height, name, keptFrom, isSealed: false });
    else if (keptFrom < known.keptFrom) known.keptFrom = keptFrom;
  };

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
      } else if (before !== value) owes({ ...fact, keptFrom: at.height + 1n });
    },
    noticed: owes,
    started({ subject, height }) {
      for (const offence of offences.values()) {
        if (offence.subject !== subject || subject.isEmptied === true) continue;
        if (offence.starts === subject.starts - 1 && height >= offence.keptFrom) offence.isSealed = true;
        if (offence.isSealed && !proven.has(offence.name) && !keeps(subject, offence.name))
          fail(`${subject.name} had two votes of ${offence.name}, and starts without them`);
      }
    },
    committed({ subject, committed: { height, block } }) {
      for (const offence of offences.values()) {
        const isSame = offence.subject === subject && offence.starts === subject.starts;
        if (isSame && height >= offence.keptFrom) offence.isSealed = true;
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
          if (piece.kind === 'duplicateVote') proven.add(placeOfVote(piece.voteA));
        }
      }
    },
    ended() {
      for (const { subject, starts, height, name, isSealed } of offences.values()) {
        if (proven.has(name) || (subject.starts !== starts && !isSealed)) continue;
        if (subject.standsAt() === undefined || subject.height <= height) continue;
        if (keeps(subject, name)) continue;
        fail(`${subject.name} was given two votes of ${name}, and there is no evidence of it`);
      }
    },
  };
}
