/** Blocks to store, for tests: their bytes are the height, and nobody has signed them. */
import { ABSENT_COMMIT_SIG, type Commit, EMPTY_COMMIT } from '../../consensus/types/commit.ts';
import { partsOf } from '../../consensus/types/part-set.ts';
import { uint64BigEndian } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { Header } from '../../proto/gen/tendermint/types/types.ts';
import type { BlockToStore } from './block-store.ts';

/** The commit for such a block. */
export function testCommit(height: bigint): Commit {
  const bytes = uint64BigEndian(height);
  const blockId = { hash: sha256(bytes), partSetHeader: partsOf(bytes).header };
  return { ...EMPTY_COMMIT, height, blockId, signatures: [ABSENT_COMMIT_SIG] };
}

/** Such a block. */
export function testBlock(height: bigint): BlockToStore {
  const { blockId } = testCommit(height);
  return {
    meta: { blockId, blockSize: 8n, header: Header.create({ height }), numTxs: 0n },
    parts: partsOf(uint64BigEndian(height)).parts,
    lastCommit: height === 1n ? undefined : testCommit(height - 1n),
    seenCommit: testCommit(height),
  };
}
