/** Leaves of one width, one after another in one buffer: a million receipts are 195 MB and no objects. */

/** See the file comment. */
export interface PackedLeaves {
  readonly bytes: Uint8Array;
  /** Bytes of a leaf. */
  readonly width: number;
  readonly count: number;
}

/** Leaf `index`: a view. */
export function packedLeaf({ bytes, width }: PackedLeaves, index: number): Uint8Array {
  return bytes.subarray(index * width, (index + 1) * width);
}
