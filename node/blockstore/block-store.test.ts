import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { EMPTY_COMMIT } from '../../consensus/types/commit.ts';
import { equalBlockId } from '../../consensus/types/block-id.ts';
import { toHex } from '../../core/bytes.ts';
import { defined } from '../../core/errors.ts';
import { BlockMeta, Header } from '../../proto/gen/tendermint/types/types.ts';
import { BlockStore } from './block-store.ts';

it('gives back the meta, the id and the height of a block that was stored, also after a restart', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'openledgerd-blocks-'));
  const hash = new Uint8Array(32).fill(7);
  const blockId = { hash, partSetHeader: { total: 0, hash: new Uint8Array(32).fill(8) } };
  const meta = BlockMeta.create({ blockId, header: Header.create({ height: 1n, chainId: 'c' }), numTxs: 2n });
  const first = await BlockStore.open(directory);
  await first.save({ meta, parts: [], lastCommit: undefined, seenCommit: EMPTY_COMMIT });
  expect(toHex(BlockMeta.encode(defined(first.meta(1n), 'meta')))).toBe(toHex(BlockMeta.encode(meta)));
  await first.close();
  const second = await BlockStore.open(directory);
  expect(equalBlockId(defined(second.blockId(1n), 'id'), blockId)).toBe(true);
  expect(second.heightOf(hash)).toBe(1n);
  expect(second.meta(2n)).toBeUndefined();
  await second.close();
  rmSync(directory, { recursive: true });
});
