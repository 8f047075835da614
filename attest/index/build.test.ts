/** Shards that are built: equal in every value, leaf and node to the one by definition. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ShardTree } from '../../modules/attribution/proof/kinds.ts';
import { leafCount } from '../../modules/attribution/proof/shard/commitment.ts';
import { shardInMemory } from '../prove/memory.ts';
import type { ShardReader, SourceDocument } from '../shard.ts';
import { naiveShard, textDocument, tombstoneDocument } from '../testing/naive-shard.ts';
import { plainHasher } from '../wasm/batch-hasher.ts';
import { type BuildEngines, type BuildProgress, buildShard, FASTEST } from './build.ts';
import { suffixArray } from './sais.ts';
import { MemoryStorage, TREES } from './shard-files.ts';
import { joinInputs, readSources } from './shard-input.ts';
import { StoredShard } from './stored-shard.ts';
import { rootLevel } from './tree-layout.ts';

const PLAIN: BuildEngines = { sort: suffixArray, hasher: plainHasher };

/** Few words, so that passages repeat; documents that are empty, long, of one byte, withdrawn. */
const word = fc.constantFrom('ab ', 'ab ', 'c', '\0', 'ü', '  ', 'a longer one. ');
const content = fc.array(word, { maxLength: 60 }).map((words) => words.join(''));
const sources = fc
  .array(fc.tuple(content, fc.integer({ min: 0, max: 4 })), { minLength: 1, maxLength: 6 })
  .map((list) =>
    list.map(
      ([text, kind], id): SourceDocument =>
        kind === 0 ? tombstoneDocument(id, text) : textDocument(id, text),
    ),
  );

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

/** Everything that a reader gives. */
function contentsOf(shard: ShardReader): unknown {
  const arrays = range(shard.tokens).map((i) => [
    ...[shard.token(i), shard.suffix(i), shard.rank(i), shard.documentAt(i), shard.byteOffset(i)],
  ]);
  const tree = (name: ShardTree): unknown => {
    const leaves = leafCount(shard.commitment, name);
    const nodes = range(rootLevel(leaves) + 1).map((level) =>
      range(Math.ceil(leaves / 2 ** level)).map((i) =>
        Buffer.from(shard.node(name, level, i)).toString('hex'),
      ),
    );
    return [range(leaves).map((i) => Buffer.from(shard.leaf(name, i)).toString('hex')), nodes];
  };
  return [arrays, range(shard.documents).map((i) => shard.document(i)), TREES.map(tree), shard.commitment];
}

describe.each([
  ['fastest', FASTEST],
  ['plain', PLAIN],
])('a shard by the %s engines', (_name, engines) => {
  test('is the one by definition', () => {
    fc.assert(
      fc.property(
        sources,
        fc.constantFrom(1, 8),
        fc.constantFrom(undefined, Uint8Array.of(7)),
        (documents, entriesPerLeaf, saltSecret) => {
          const sink = new MemoryStorage();
          const options = {
            datanetId: 3n,
            firstPosition: 5n,
            entriesPerLeaf,
            ...(saltSecret && { saltSecret }),
          };
          const commitment = buildShard(readSources(documents), { ...options, sink }, engines);
          const expected = shardInMemory(naiveShard(documents), options);
          expect(contentsOf(new StoredShard(commitment, sink, saltSecret))).toEqual(contentsOf(expected));
        },
      ),
      { numRuns: 40 },
    );
  });
});

const options = { datanetId: 1n, firstPosition: 0n, entriesPerLeaf: 1 };

test('both engines commit to the same, over many batches of leaves', () => {
  const text = (id: number): string =>
    `mail ${id}: ${'some words, again and again; '.repeat(id % 40)}${id * id}`;
  const input = readSources(range(200).map((id) => textDocument(id, id % 9 === 0 ? '' : text(id))));
  for (const entriesPerLeaf of [1, 8]) {
    const [fastest, plain] = [FASTEST, PLAIN].map((engines) => {
      const sink = new MemoryStorage();
      const commitment = buildShard(input, { ...options, entriesPerLeaf, sink }, engines);
      return [commitment, Buffer.from(sink.read('suffix-tree', 0, 64 * 32)).toString('hex')];
    });
    expect(fastest).toEqual(plain);
  }
});

test('merged shards are the shard of all documents, withdrawn ones without their text', () => {
  const documents = range(9).map((id) => textDocument(id, `text ${id} of many, ${'again '.repeat(id)}`));
  const build = (list: readonly SourceDocument[]): StoredShard => {
    const sink = new MemoryStorage();
    return new StoredShard(buildShard(readSources(list), { ...options, sink }), sink);
  };
  const parts = [documents.slice(0, 4), documents.slice(4, 5), documents.slice(5)].map(build);
  const withdrawn = (id: bigint): boolean => id === 4n || id === 7n;
  const input = joinInputs(parts.map((shard) => ({ shard, withdrawn })));
  const rest = documents.map((each, id) => (id === 4 || id === 7 ? { ...each, content: undefined } : each));
  expect(input).toEqual(readSources(rest));
});

test('progress goes through all stages to their ends; the input is as it was', () => {
  const input = readSources([textDocument(1, 'some words, and some words again')]);
  const text = input.text.slice();
  const seen: BuildProgress[] = [];
  buildShard(input, { ...options, sink: new MemoryStorage(), progress: (progress) => seen.push(progress) });
  for (const stage of ['sort', 'inverse', 'text', 'suffix', 'documents'])
    expect(seen.findLast((each) => each.stage === stage)).toMatchObject({ stage });
  expect(seen.filter(({ done, total }) => done === total)).toHaveLength(5);
  expect(input.text).toEqual(text);
});

test('contents that are not what the chain has are refused, by contribution', () => {
  const good = textDocument(12, 'content');
  const longer = { ...good, content: Buffer.from('content!') };
  const other = { ...good, content: Buffer.from('CONTENT') };
  expect(() => readSources([longer])).toThrow(/contribution 12 has 7 bytes on the chain, its content 8/);
  expect(() => readSources([other])).toThrow(/content of contribution 12 has another root/);
  expect(() => buildShard(readSources([]), { ...options, sink: new MemoryStorage() })).toThrow(
    /no documents/,
  );
});

test('a salted shard opens no leaf without the secret', () => {
  const sink = new MemoryStorage();
  const saltSecret = Uint8Array.of(1);
  const commitment = buildShard(readSources([textDocument(1, 'a b')]), { ...options, saltSecret, sink });
  const shard = new StoredShard(commitment, sink);
  expect(shard.token(0)).toBeGreaterThan(0);
  expect(() => shard.leaf('text', 0)).toThrow(/the secret it was built with/);
});
