import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { IndexDirectory } from '../../attest/index/index-directory.ts';
import { pieceAt } from '../../attest/serve/shard-pieces.ts';
import { ShardLibrary } from '../../attest/serve/shard-library.ts';
import { textDocument } from '../../attest/testing/naive-shard.ts';
import { toHex, utf8 } from '../../core/bytes.ts';
import { contentRoot } from '../../client/index.ts';
import { treeOfShard } from '../../modules/attribution/proof/shard/commitment.ts';
import { verifyOpening } from '../../modules/attribution/proof/tree.ts';
import { ServedIndexes } from './served-indexes.ts';

test('shards that come later are served, and those that larger ones take up stay', () => {
  const path = mkdtempSync(join(tmpdir(), 'served-'));
  const index = IndexDirectory.create(path, { datanetId: 1n, entriesPerLeaf: 1, documentsMax: 4 });
  const text = (position: number): string => `text number ${position} of the Datanet`;
  const source = (position: number) => textDocument(position + 1, text(position));
  const library = new ShardLibrary();
  const served = new ServedIndexes([path], library, { cacheBytes: 1 << 20 });
  try {
    index.grow({ count: 1, source });
    expect(served.load()).toBe(1);
    index.grow({ count: 2, source });
    expect([served.load(), served.load()]).toEqual([1, 0]);
    expect(library.list().map(({ reader }) => reader.documents)).toEqual([1, 2]);
    expect(library.content(toHex(contentRoot(utf8(text(1)))))?.make()).toEqual(utf8(text(1)));
  } finally {
    served.close();
    rmSync(path, { recursive: true });
  }
});

test('a salted index needs its secret, and then its leaves can be shown on the chain', () => {
  const path = mkdtempSync(join(tmpdir(), 'served-'));
  const saltSecret = utf8('a secret of sixteen');
  const settings = { datanetId: 1n, entriesPerLeaf: 1, documentsMax: 4 };
  IndexDirectory.create(path, settings, { saltSecret }).grow({
    count: 1,
    source: () => textDocument(1, 'private words'),
  });
  const library = new ShardLibrary();
  const served = new ServedIndexes([path], library, { cacheBytes: 1 << 20, saltSecret });
  try {
    expect(() => new ServedIndexes([path], library, { cacheBytes: 1 << 20 }).load()).toThrow(/salted/);
    served.load();
    const [shard] = library.list();
    if (shard === undefined) throw new Error('a shard is served');
    const { leaves, hashes } = pieceAt(shard.reader, { tree: 1, document: 0, chunk: 0 });
    const opening = { indices: [0], leaves, hashes: Buffer.concat(hashes) };
    expect(verifyOpening(treeOfShard(shard.reader.commitment, 'text'), opening)).toBe(true);
  } finally {
    served.close();
    rmSync(path, { recursive: true });
  }
});
