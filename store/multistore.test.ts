import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromHex, toHex, utf8 } from '../core/bytes.ts';
import { branchOver } from './branch.ts';
import type { KVReader, MultiStoreBranch } from './kv.ts';
import { MemoryMultiStore } from './multistore.ts';

interface StoreCase {
  readonly name: string;
  readonly initialVersion: number;
  readonly stores: readonly string[];
  readonly versions: readonly {
    readonly ops: Readonly<Record<string, readonly (readonly string[])[]>>;
    readonly hash: string;
  }[];
}

const cases: readonly StoreCase[] = JSON.parse(
  readFileSync(new URL('../test/vectors/multistore/stores.json', import.meta.url), 'utf8'),
);

test.each(cases.map((vector) => [vector.name, vector] as const))('app hash vector: %s', (_name, vector) => {
  const store = new MemoryMultiStore({
    stores: vector.stores,
    initialVersion: BigInt(vector.initialVersion),
  });
  for (const [i, version] of vector.versions.entries()) {
    const block = store.branch();
    for (const [name, ops] of Object.entries(version.ops)) {
      for (const [key, value] of ops) {
        if (value === undefined) block.store(name).delete(fromHex(key ?? ''));
        else block.store(name).set(fromHex(key ?? ''), fromHex(value));
      }
    }
    block.write();
    expect(toHex(store.workingHash())).toBe(version.hash);
    const commit = store.commit();
    expect(commit.version).toBe(BigInt(vector.initialVersion + i));
    expect(toHex(commit.hash)).toBe(version.hash);
  }
});

/** A multistore with `count` versions; version v has `v` at key `k`. */
function withVersions(count: number, keepVersions: number): MemoryMultiStore {
  const store = new MemoryMultiStore({ stores: ['a', 'b'], keepVersions });
  for (let v = 1; v <= count; v++) {
    const block = store.branch();
    block.store('a').set(utf8('k'), utf8(String(v)));
    block.store('a').set(utf8(`only-${v}`), utf8('x'));
    if (v > 1) block.store('a').delete(utf8(`only-${v - 1}`));
    block.write();
    store.commit();
  }
  return store;
}

const text = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : new TextDecoder().decode(bytes);
const pairsOf = (reader: KVReader): (string | undefined)[][] =>
  [...reader.iterate({})].map((pair) => pair.map(text));

test('the last versions stay readable as they were, older ones are a clear error', () => {
  const store = withVersions(30, 5);
  expect(store.versions()).toEqual({ earliest: 26n, latest: 30n });
  for (let v = 26; v <= 30; v++) {
    expect(pairsOf(store.at(BigInt(v)).reader('a'))).toEqual([
      ['k', String(v)],
      [`only-${v}`, 'x'],
    ]);
  }
  for (const missing of [0n, 25n, 31n, -1n]) {
    expect(() => store.at(missing)).toThrow(/is not available: this node has versions 26 to 30/);
  }
});

test('a reader of a version that was dropped refuses to read, also in the middle of a range', () => {
  const store = withVersions(3, 2);
  const reader = store.at(2n).reader('a');
  const pairs = reader.iterate({})[Symbol.iterator]();
  expect(pairs.next().done).toBe(false);
  store.commit();
  expect(() => reader.get(utf8('k'))).toThrow('not available');
  expect(() => pairs.next()).toThrow('not available');
});

test('a rolled back working version leaves the committed one', () => {
  const store = withVersions(3, 5);
  const before = toHex(store.workingHash());
  const block = store.branch();
  block.store('a').set(utf8('k'), utf8('wrong'));
  block.store('b').set(utf8('k'), utf8('wrong'));
  block.write();
  expect(toHex(store.workingHash())).not.toBe(before);
  store.branch().store('a').delete(utf8('k'));
  store.rollback();
  expect(text(store.reader('a').get(utf8('k')))).toBe('3');
  expect(toHex(store.workingHash())).toBe(before);
});

test('unknown stores, versions out of order and writes to a committed version are refused', () => {
  const store = withVersions(3, 5);
  expect(() => store.branch().store('c')).toThrow('no store "c"');
  expect(() => store.at(3n).reader('c')).toThrow('no store "c"');
  expect(() => store.commit(3n)).toThrow('cannot follow');
  const check = branchOver(store.at(2n));
  const inner = check.branch();
  inner.store('a').set(utf8('k'), utf8('checked'));
  inner.write();
  expect(text(check.store('a').get(utf8('k')))).toBe('checked');
  expect(() => check.write()).toThrow('cannot be written');
  expect(text(store.at(2n).reader('a').get(utf8('k')))).toBe('2');
});

test('hashes asked for at one version and committed at another are those of the version committed', () => {
  const [one, other] = [new MemoryMultiStore({ stores: ['a'] }), new MemoryMultiStore({ stores: ['a'] })];
  for (const store of [one, other]) {
    store.layer('a').set(utf8('k'), utf8('v'));
    store.layer('a').set(utf8('l'), utf8('v'));
  }
  one.workingHash();
  expect(toHex(one.commit(9n).hash)).toBe(toHex(other.commit(9n).hash));
});

test('keepBytesMax drops versions before keepVersions does, but never the last two', () => {
  // Ten leaves and nine inner nodes are replaced by each version.
  const keepBytesMax = 2 * (19 * 68 + 10 * 16);
  const store = new MemoryMultiStore({ stores: ['a'], keepVersions: 50, keepBytesMax });
  for (let v = 1; v <= 20; v++) {
    for (let i = 0; i < 10; i++) store.layer('a').set(utf8(`k${i}`), utf8(String(v)));
    store.commit();
  }
  expect(store.versions()).toEqual({ earliest: 18n, latest: 20n });
  expect(store.historyBytes).toBe(keepBytesMax);
  for (let i = 0; i < 100; i++) store.layer('a').set(utf8(`k${i}`), utf8('large'));
  store.commit();
  for (let i = 0; i < 100; i++) store.layer('a').set(utf8(`k${i}`), utf8('larger'));
  store.commit();
  expect(store.versions()).toEqual({ earliest: 21n, latest: 22n });
  expect(text(store.at(21n).reader('a').get(utf8('k9')))).toBe('large');
});

test('keepBytesMax counts the values that only earlier versions hold', () => {
  const store = new MemoryMultiStore({ stores: ['a'], keepBytesMax: 1_000_000 });
  for (let v = 1; v <= 30; v++) {
    store.layer('a').set(utf8('k'), new Uint8Array(100_000).fill(v));
    store.commit();
  }
  expect(store.versions()).toEqual({ earliest: 22n, latest: 30n });
  expect(store.historyBytes).toBeLessThan(1_000_000);
  expect(store.at(22n).reader('a').get(utf8('k'))?.[0]).toBe(22);
});

test('a range goes on over the keys that it began with while others are written', () => {
  const store = new MemoryMultiStore({ stores: ['a'] });
  for (const key of ['b', 'd', 'f']) store.layer('a').set(utf8(key), utf8('1'));
  for (const reverse of [false, true]) {
    const branch = store.branch().store('a');
    for (const key of ['c', 'e', 'g']) branch.set(utf8(key), utf8('2'));
    const seen: (string | undefined)[] = [];
    for (const [key] of branch.iterate({ reverse })) {
      seen.push(text(key));
      branch.set(utf8(`a${seen.length}`), utf8('3'));
      branch.set(utf8(`z${seen.length}`), utf8('3'));
      // Something that sorts the new keys in.
      expect([...branch.iterate({})].length).toBe(6 + 2 * seen.length);
    }
    const expected = ['b', 'c', 'd', 'e', 'f', 'g'];
    expect(seen).toEqual(reverse ? expected.toReversed() : expected);
  }
});

test('the app hash depends on what was written, not on the order or the branches it came by', () => {
  const write = fc.record({
    store: fc.constantFrom('a', 'b'),
    key: fc.uint8Array({ minLength: 1, maxLength: 2 }),
    value: fc.option(fc.uint8Array({ maxLength: 3 }), { nil: undefined }),
  });
  const block = fc.uniqueArray(write, {
    maxLength: 25,
    selector: (each) => `${each.store}/${toHex(each.key)}`,
  });
  fc.assert(
    fc.property(fc.array(block, { maxLength: 5 }), fc.infiniteStream(fc.nat(3)), (blocks, choices) => {
      const [one, other] = [
        new MemoryMultiStore({ stores: ['a', 'b'] }),
        new MemoryMultiStore({ stores: ['b', 'a'] }),
      ];
      for (const writes of blocks) {
        for (const { store, key, value } of writes) {
          if (value === undefined) one.layer(store).delete(key);
          else one.layer(store).set(key, value);
        }
        const parts = [other.branch(), other.branch(), other.branch(), other.branch()];
        for (const { store, key, value } of writes.toReversed()) {
          const part = parts[choices.next().value ?? 0]?.store(store);
          if (value === undefined) part?.delete(key);
          else part?.set(key, value);
        }
        for (const part of parts) part.write();
        expect(toHex(other.commit().hash)).toBe(toHex(one.commit().hash));
      }
    }),
  );
});

type Command =
  | { readonly kind: 'set'; readonly key: number; readonly value: number }
  | { readonly kind: 'delete'; readonly key: number }
  | { readonly kind: 'open' | 'write' | 'drop' | 'hash' | 'commit' };

const key = fc.integer({ min: 0, max: 30 });
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('set'), key, value: fc.nat(255) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('delete'), key }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constantFrom('open', 'write', 'drop', 'hash', 'commit') }) },
);

/** Bytes of a numbered key: of different lengths, so that prefixes meet. */
const keyBytes = (n: number): Uint8Array => Uint8Array.from({ length: 1 + (n % 3) }, () => n);

function checkAgainst(reader: KVReader, model: ReadonlyMap<string, string>): void {
  const sorted = [...model].sort(([a], [b]) => (a < b ? -1 : 1));
  const hex = ([k, v]: readonly [Uint8Array, Uint8Array]): [string, string] => [toHex(k), toHex(v)];
  expect([...reader.iterate({})].map(hex)).toEqual(sorted);
  expect([...reader.iterate({ reverse: true })].map(hex)).toEqual(sorted.toReversed());
  const [start, end] = [keyBytes(7), keyBytes(20)];
  const within = sorted.filter(([k]) => k >= toHex(start) && k < toHex(end));
  expect([...reader.iterate({ start, end })].map(hex)).toEqual(within);
  expect([...reader.iterate({ start, end, reverse: true })].map(hex)).toEqual(within.toReversed());
  for (let n = 0; n <= 30; n++) {
    const value = reader.get(keyBytes(n));
    expect(value === undefined ? undefined : toHex(value)).toBe(model.get(toHex(keyBytes(n))));
    expect(reader.has(keyBytes(n))).toBe(value !== undefined);
  }
}

test('nested branches over versions equal a stack of maps', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 80 }), (commands) => {
      const store = new MemoryMultiStore({ stores: ['s'], keepVersions: 3 });
      const branches: MultiStoreBranch[] = [store.branch()];
      // models[0] is the working version, models[i + 1] what branches[i] sees.
      const models = [new Map<string, string>(), new Map<string, string>()];
      for (const each of commands) {
        const branch = branches.at(-1) ?? store.branch();
        const model = models.at(-1) ?? new Map<string, string>();
        if (each.kind === 'set') {
          branch.store('s').set(keyBytes(each.key), Uint8Array.of(each.value));
          model.set(toHex(keyBytes(each.key)), toHex(Uint8Array.of(each.value)));
        } else if (each.kind === 'delete') {
          branch.store('s').delete(keyBytes(each.key));
          model.delete(toHex(keyBytes(each.key)));
        } else if (each.kind === 'open') {
          branches.push(branch.branch());
          models.push(new Map(model));
        } else if (each.kind === 'write') {
          branch.write();
          models[models.length - 2] = new Map(model);
        } else if (each.kind === 'drop') {
          branches.pop();
          models.pop();
          if (branches.length === 0) {
            branches.push(store.branch());
            models.push(new Map(models[0]));
          }
        } else if (each.kind === 'hash') store.workingHash();
        else store.commit();
        const top = branches.at(-1);
        const expected = models.at(-1);
        if (top !== undefined && expected !== undefined) checkAgainst(top.reader('s'), expected);
        if (models[0] !== undefined) checkAgainst(store.reader('s'), models[0]);
      }
    }),
    { numRuns: 200 },
  );
});
