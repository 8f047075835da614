/** Who signs blocks, as an engine keeps it: the set of a height, changed two heights after a block asks for it. */
import { compareBytes, toHex } from '../../core/bytes.ts';
import { consensusAddress, consensusKeyOf } from '../../modules/consensus/keys.ts';
import type { ValidatorUpdate } from '../../proto/gen/tendermint/abci/types.ts';

/** One of a set. */
export interface Signer {
  /** 20 bytes. */
  readonly address: Uint8Array;
  readonly power: bigint;
}

/** The sets of the last block, of the next, and of the one after it. */
export class ValidatorSets {
  last: readonly Signer[] = [];
  next: readonly Signer[];
  afterNext: readonly Signer[];

  constructor(first: readonly ValidatorUpdate[]) {
    this.next = applied([], first).set;
    this.afterNext = this.next;
  }

  /** A block was executed. @returns what an engine would refuse about its updates */
  executed(updates: readonly ValidatorUpdate[]): readonly string[] {
    const { set, problems } = applied(this.afterNext, updates);
    this.last = this.next;
    this.next = this.afterNext;
    this.afterNext = set;
    return set.length === 0 ? [...problems, 'the validator set is empty'] : problems;
  }
}

function applied(
  before: readonly Signer[],
  updates: readonly ValidatorUpdate[],
): { readonly set: readonly Signer[]; readonly problems: readonly string[] } {
  const set = new Map(before.map((signer) => [toHex(signer.address), signer]));
  const problems: string[] = [];
  const seen = new Set<string>();
  for (const { pubKey, power } of updates) {
    const address = consensusAddress(consensusKeyOf(pubKey));
    const key = toHex(address);
    if (seen.has(key)) problems.push(`two updates of ${key}`);
    seen.add(key);
    if (power < 0n) problems.push(`${key} has power ${power}`);
    if (power === 0n && !set.delete(key)) problems.push(`${key} is removed, but is not in the set`);
    if (power > 0n) set.set(key, { address, power });
  }
  return { set: [...set.values()].sort((a, b) => compareBytes(a.address, b.address)), problems };
}
