import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toHex, utf8 } from '../core/bytes.ts';
import { DecodeError } from '../core/errors.ts';
import { decodeChangeSet, encodeChangeSet } from './change-set.ts';
import { NodeArena } from './iavl/node-arena.ts';
import { MemoryMultiStore } from './multistore.ts';
import { SnapshotImport } from './snapshot.ts';

const write = fc.record({
  key: fc.uint8Array({ maxLength: 20 }),
  value: fc.option(fc.uint8Array({ maxLength: 300 }), { nil: undefined }),
});
const changeSet = fc.record({
  version: fc.bigInt({ min: 1n, max: 2n ** 32n }),
  previous: fc.bigInt({ min: 0n, max: 2n ** 32n }),
  hash: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  stores: fc.array(fc.record({ name: fc.string(), writes: fc.array(write, { maxLength: 8 }) }), {
    maxLength: 4,
  }),
});

/** Runs a decoder on damaged bytes: it answers or throws DecodeError. */
function decodesOrRefuses(decode: (bytes: Uint8Array) => unknown, bytes: Uint8Array): boolean {
  try {
    decode(bytes);
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(DecodeError);
    return false;
  }
}

test('change sets read back, and no cut, longer or random bytes are anything but a DecodeError', () => {
  fc.assert(
    fc.property(changeSet, fc.uint8Array({ maxLength: 60 }), fc.nat(), (changes, junk, cut) => {
      const bytes = encodeChangeSet(changes);
      expect(toHex(encodeChangeSet(decodeChangeSet(bytes)))).toBe(toHex(bytes));
      expect(decodesOrRefuses(decodeChangeSet, bytes.slice(0, cut % bytes.length))).toBe(false);
      expect(decodesOrRefuses(decodeChangeSet, Uint8Array.of(...bytes, 0))).toBe(false);
      decodesOrRefuses(decodeChangeSet, junk);
      decodesOrRefuses(decodeChangeSet, Uint8Array.of(...bytes.slice(0, cut % bytes.length), ...junk));
    }),
  );
});

test('a snapshot read in chunks has the same app hash; a damaged one is refused', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(write, { maxLength: 20 }), { minLength: 1, maxLength: 4 }),
      fc.nat(),
      (blocks, at) => {
        const store = new MemoryMultiStore({ stores: ['a', 'b', 'empty'] });
        for (const writes of blocks) {
          for (const [i, { key, value }] of writes.entries()) {
            const layer = store.layer(i % 3 === 0 ? 'b' : 'a');
            if (value === undefined) layer.delete(key);
            else layer.set(key, value);
          }
          store.commit();
        }
        const last = store.lastCommit;
        const source = store.exportVersion(last.version);
        const chunks = [...source.chunks];
        source.close();
        const copy = new MemoryMultiStore({ stores: [] });
        const trees = copy.beginImport(last.version);
        for (const chunk of chunks) trees.add(chunk);
        copy.finishImport(trees, last);
        expect(toHex(copy.lastCommit.hash)).toBe(toHex(last.hash));
        const chunk = chunks[0] ?? utf8('');
        const damaged = Uint8Array.from(chunk, (byte, i) => (i === at % chunk.length ? byte ^ 1 : byte));
        const other = new MemoryMultiStore({ stores: [] });
        expect(() => {
          const broken = other.beginImport(last.version);
          broken.add(damaged);
          other.finishImport(broken, last);
        }).toThrow();
      },
    ),
    { numRuns: 60 },
  );
});

test('random snapshot chunks are refused without an unexpected error', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 4 }), (chunks) => {
      const trees = new SnapshotImport(new NodeArena(), 9n);
      for (const chunk of chunks)
        decodesOrRefuses((bytes) => trees.add(bytes), Uint8Array.of(2, 1, 97, ...chunk));
      decodesOrRefuses(() => trees.finish(), utf8(''));
    }),
  );
});
