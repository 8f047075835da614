import { type Fail, type Invariant, shortValue } from '../facts.ts';

/**
 * No honest key signs two values at one height, round and step: also not across crashes, and whether or not
 * the signature leaves the machine.
 */
export function doubleSign(fail: Fail): Invariant {
  const signed = new Map<string, string>();
  return {
    name: 'double sign',
    signed({ subject, key, type, height, round, value, polRound }) {
      if (!subject.isHonest) return;
      const place = `${key} ${height}/${round} ${type}`;
      const said = `${value} ${polRound}`;
      const before = signed.get(place);
      if (before === undefined) signed.set(place, said);
      else if (before !== said) {
        const values = `${shortValue(before)} and ${shortValue(said)}`;
        fail(`the key of ${subject.name} signed two ${type}s at ${height}/${round}: ${values}`);
      }
    },
  };
}
