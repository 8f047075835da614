import { sha256 } from '../../core/hash.ts';
import { Schema, type StateMap } from '../../framework/collections.ts';
import { bytesKey } from '../../framework/keys.ts';
import { Any } from '../../proto/gen/google/protobuf/any.ts';

/** Store of evidence. */
export const STORE_NAME = 'evidence';

/** Collections of evidence, at the SDK's prefixes (x/evidence/types/keys.go). */
export interface EvidenceState {
  /** By the hash of the message inside. */
  readonly evidence: StateMap<Uint8Array, Any>;
}

/** Declares the collections. */
export function evidenceState(): EvidenceState {
  const schema = new Schema(STORE_NAME);
  return {
    evidence: schema.map({ prefix: Uint8Array.of(0), name: 'evidences', key: bytesKey, value: Any }),
  };
}

/** SHA-256 of the message inside. */
export function evidenceHash({ value }: Any): Uint8Array {
  return sha256(value);
}
