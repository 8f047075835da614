import { concatBytes, uint64BigEndian, utf8 } from '../../core/bytes.ts';

// One letter per kind, then the height in eight big-endian bytes: iteration goes by height.
const META = utf8('H');
const PART = utf8('P');
const COMMIT = utf8('C');
const SEEN_COMMIT = utf8('S');
const HEIGHT_OF_HASH = utf8('B');

/** Where lowest and highest height are kept. */
export const RANGE_KEY: Uint8Array = utf8('range');

/** Where the lowest height is kept that has at least a header. */
export const HEADERS_KEY: Uint8Array = utf8('headers');

/** Key of a block's meta data. */
export const metaKey = (height: bigint): Uint8Array => concatBytes(META, uint64BigEndian(height));

/** Key of one part of a block. */
export function partKey(height: bigint, index: number): Uint8Array {
  const suffix = new Uint8Array(4);
  new DataView(suffix.buffer).setUint32(0, index);
  return concatBytes(PART, uint64BigEndian(height), suffix);
}

/** Key of the commit for a height as the next block has it. */
export const commitKey = (height: bigint): Uint8Array => concatBytes(COMMIT, uint64BigEndian(height));

/** Key of the commit for a height as this node saw it. */
export const seenCommitKey = (height: bigint): Uint8Array =>
  concatBytes(SEEN_COMMIT, uint64BigEndian(height));

/** Key of the height of a block hash. */
export const hashKey = (hash: Uint8Array): Uint8Array => concatBytes(HEIGHT_OF_HASH, hash);
