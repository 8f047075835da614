/**
 * The locked-value rule, seen from outside: who precommitted a value may prevote another one only after more
 * than two thirds prevoted that one in the same or a later round; and nobody precommits a value that more
 * than two thirds did not prevote in that round. Lines 22–32 and 36–43 of the paper.
 */
import type { ValidatorSet } from '../../../consensus/types/validator.ts';
import { toHex } from '../../../core/bytes.ts';
import { type Fail, type Invariant, type SignedFact, shortValue } from '../facts.ts';

interface Lock {
  readonly height: bigint;
  readonly round: number;
  readonly value: string;
}

/** See the file comment. */
export function lockedValue(fail: Fail): Invariant {
  const locks = new Map<string, Lock>();
  /** Keys that prevoted, by height, round and value. */
  const prevotes = new Map<string, Set<string>>();
  const placeOf = (height: bigint, round: number, value: string): string => `${height}/${round}/${value}`;

  const hasPolka = (set: ValidatorSet, place: string): boolean => {
    const keys = prevotes.get(place);
    if (keys === undefined) return false;
    const power = set.validators
      .filter(({ publicKey }) => keys.has(toHex(publicKey.bytes)))
      .reduce((sum, { votingPower }) => sum + votingPower, 0n);
    return power * 3n > set.totalVotingPower * 2n;
  };

  const onPrevote = (fact: SignedFact): void => {
    const { subject, key, height, round, value } = fact;
    const place = placeOf(height, round, value);
    const keys = prevotes.get(place) ?? new Set();
    prevotes.set(place, keys.add(key));
    const lock = locks.get(key);
    const set = subject.validatorsAt(height);
    if (!subject.isHonest || set === undefined) return;
    if (lock?.height !== height || lock.round >= round || value === 'nil' || value === lock.value) return;
    for (let from = lock.round; from < round; from++) {
      if (hasPolka(set, placeOf(height, from, value))) return;
    }
    const locked = `${shortValue(lock.value)} in round ${lock.round}`;
    fail(`${subject.name} is locked on ${locked} and prevotes ${shortValue(value)} at ${height}/${round}`);
  };

  const onPrecommit = (fact: SignedFact): void => {
    const { subject, key, height, round, value } = fact;
    if (value === 'nil') return;
    locks.set(key, { height, round, value });
    const set = subject.validatorsAt(height);
    if (!subject.isHonest || set === undefined) return;
    if (hasPolka(set, placeOf(height, round, value))) return;
    fail(
      `${subject.name} precommits ${shortValue(value)} at ${height}/${round} without two thirds of prevotes`,
    );
  };

  return {
    name: 'locked value',
    signed(fact) {
      if (fact.type === 'prevote') onPrevote(fact);
      if (fact.type === 'precommit') onPrecommit(fact);
    },
  };
}
