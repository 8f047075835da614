/** What a derivation reads, as far as it is known yet; what is missing is named so that it can be asked for. */
import { fromHex, toHex } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import type { Bundle, Evidence, RowName } from '../../client/verifier/types.ts';
import { Refused } from '../../client/verifier/verify-payout.ts';

/** A row of the store that a derivation needs and nobody has shown. */
export class MissingRow extends Refused {
  readonly at: RowName;
  constructor(at: RowName) {
    super(`the row ${at.key} of ${at.store} after block ${at.height} is not shown`);
    this.at = at;
  }
}

/** A claim of attribution that a derivation needs and nobody has shown. */
export class MissingClaim extends Refused {
  readonly id: bigint;
  /** SHA-256 of its bytes, hexadecimal. */
  readonly hash: string;
  constructor(id: bigint, hash: string) {
    super(`claim ${id}, whose SHA-256 is ${hash}, is not shown`);
    this.id = id;
    this.hash = hash;
  }
}

/** What is known besides rows: lists that may grow while a derivation is tried again. */
export interface Known extends Pick<Bundle, 'claims' | 'epochs' | 'attributions'> {
  /** Of the last state. */
  readonly height: bigint;
}

/**
 * What a derivation reads of what is known.
 * @param row a row's value, empty when there is none; throws MissingRow when nobody knows
 */
export function evidenceOf(known: Known, row: Evidence['row']): Evidence {
  return {
    height: known.height,
    row,
    claim(id, hash) {
      const claim = hashed(known.claims, hash);
      if (claim === undefined) throw new MissingClaim(id, hash);
      return claim;
    },
    attribution(hash) {
      const attribution = hashed(known.attributions, hash);
      if (attribution === undefined) throw new Refused(`attribution ${hash} is not shown`);
      return attribution;
    },
    epochPart(id, number) {
      const part = known.epochs.find((each) => each.epoch === `${id}` && each.row === number);
      if (part === undefined) throw new Refused(`nothing is shown of row ${number} of epoch ${id}`);
      return part;
    },
  };
}

function hashed(list: readonly string[], hash: string): Uint8Array | undefined {
  return list.map(fromHex).find((bytes) => toHex(sha256(bytes)) === hash);
}
