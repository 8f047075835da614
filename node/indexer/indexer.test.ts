import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { NIL_BLOCK_ID } from '../../consensus/types/block-id.ts';
import { encodeBlock } from '../../consensus/types/block.ts';
import { EMPTY_COMMIT } from '../../consensus/types/commit.ts';
import { utf8 } from '../../core/bytes.ts';
import { type Event, ExecTxResult, ResponseFinalizeBlock } from '../../proto/gen/tendermint/abci/types.ts';
import { Header } from '../../proto/gen/tendermint/types/types.ts';
import type { CommittedBlock } from '../committed-block.ts';
import { compositeKeys } from '../eventbus/publisher.ts';
import { matches, parseQuery } from '../query.ts';
import { txKey } from '../tx-key.ts';
import { DEFAULT_INDEXER_CONFIG, type IndexerConfig } from './config.ts';
import { Indexer } from './indexer.ts';
import { LAST_HEIGHT_KEY } from './keys.ts';
import { LevelDatabase } from './level-database.ts';
import type { IndexDatabase, IndexedBlocks } from './ports.ts';
import { encodeTxPlaces, txPlaceAt } from './tx-places.ts';

let directory: string;
let indexer: Indexer;
const errors: string[] = [];
const logger = { debug: () => {}, error: (_facts: unknown, message: string) => void errors.push(message) };

/** What the block store and the state store of a node would have. */
const stored = new Map<bigint, CommittedBlock>();
const blocks: IndexedBlocks = {
  slice: (height, offset, length) => {
    const committed = stored.get(height);
    return committed && encodeBlock(committed.block).slice(offset, offset + length);
  },
  txResult: (height, index) => stored.get(height)?.results.txResults[index],
};

async function commit(committed: CommittedBlock): Promise<void> {
  stored.set(committed.height, committed);
  await indexer.onCommit(committed);
}

async function open(config: Partial<IndexerConfig> = {}): Promise<Indexer> {
  const database = await LevelDatabase.open(directory);
  return new Indexer({ database, blocks, logger }, { ...DEFAULT_INDEXER_CONFIG, ...config });
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'index-'));
  indexer = await open();
});

afterEach(async () => {
  await indexer.close();
  await rm(directory, { recursive: true });
  stored.clear();
  expect(errors.splice(0)).toEqual([]);
});

interface TestTx {
  readonly tx: string;
  readonly code?: number;
  readonly events?: readonly Event[];
}

function event(type: string, attributes: Readonly<Record<string, string>>, index = true): Event {
  return { type, attributes: Object.entries(attributes).map(([key, value]) => ({ key, value, index })) };
}

function block(height: number, txs: readonly TestTx[], events: readonly Event[] = []): CommittedBlock {
  return {
    height: BigInt(height),
    block: {
      header: Header.create(),
      txs: txs.map(({ tx }) => utf8(tx)),
      evidence: [],
      lastCommit: EMPTY_COMMIT,
    },
    blockId: NIL_BLOCK_ID,
    results: ResponseFinalizeBlock.create({
      events,
      txResults: txs.map(({ code, events: own }) =>
        ExecTxResult.create({ code: code ?? 0, events: own ?? [] }),
      ),
    }),
  };
}

const all = (total: number): { skip: number; take: number } => ({ skip: 0, take: total });

async function find(query: string, order: 'asc' | 'desc' = 'asc'): Promise<string[]> {
  const page = await indexer.searchTxs({ query: parseQuery(query), order, page: all });
  return page.items.map((item) => Buffer.from(item.tx).toString());
}

async function findBlocks(query: string): Promise<number[]> {
  const page = await indexer.searchBlocks({ query: parseQuery(query), order: 'asc', page: all });
  return page.items.map(Number);
}

const send = (sender: string, recipient: string, amount = '5uopen'): Event =>
  event('transfer', { sender, recipient, amount });

describe('by hash', () => {
  test('a committed transaction is found at once, an unknown one is an empty list', async () => {
    const committed = commit(block(3, [{ tx: 'a' }, { tx: 'b', code: 5 }]));
    const key = txKey(utf8('b'));
    expect(await indexer.get(key)).toMatchObject({ height: 3n, index: 1, result: { code: 5 } });
    expect(await find(`tx.hash='${key}'`)).toEqual(['b']);
    expect(await find(`tx.hash='${key.toLowerCase()}' AND tx.height > 100`)).toEqual(['b']);
    expect(await find(`tx.hash='${'00'.repeat(32)}'`)).toEqual([]);
    await committed;
  });

  test('a query with no hash in it is an error', async () => {
    await expect(find("tx.hash='xyz'")).rejects.toMatchObject({ code: 'index.hash' });
    await expect(find('tx.hash EXISTS')).rejects.toMatchObject({ code: 'index.hash' });
  });

  test('a later failure does not hide that the same bytes succeeded', async () => {
    await commit(block(1, [{ tx: 'a' }]));
    await commit(block(2, [{ tx: 'a', code: 32 }]));
    await indexer.searchBlocks({ query: parseQuery('block.height=1'), order: 'asc', page: all });
    expect(await indexer.get(txKey(utf8('a')))).toMatchObject({ height: 1n, result: { code: 0 } });
  });
});

describe('by height and event', () => {
  beforeEach(async () => {
    await commit(
      block(1, [
        { tx: 'a1', events: [send('alice', 'bob')] },
        { tx: 'b1', events: [send('bob', 'carol', '12uopen'), event('message', { sender: 'bob' })] },
      ]),
    );
    await commit(block(2, []));
    await commit(
      block(10, [
        { tx: 'a10', events: [send('alice', 'bob/x'), send('dave', 'bob')] },
        { tx: 'hidden', events: [event('transfer', { sender: 'alice' }, false)] },
        { tx: 'n10', events: [event('sale', { price: '-3', part: '2.5', note: "it\0is a 'note'" })] },
      ]),
    );
  });

  test.each<[string, string[]]>([
    ['tx.height=1', ['a1', 'b1']],
    ["tx.height='10'", ['a10', 'hidden', 'n10']],
    ['tx.height>=1 AND tx.height<10', ['a1', 'b1']],
    ['tx.height > 1.5', ['a10', 'hidden', 'n10']],
    ['tx.height=7', []],
    ["transfer.sender='alice'", ['a1', 'a10']],
    ["transfer.sender = 'alice' AND tx.height<=2", ['a1']],
    ["transfer.sender='alice' AND transfer.recipient='bob'", ['a1']],
    ["transfer.sender='bob' AND message.sender='bob'", []],
    ["transfer.recipient CONTAINS 'bob'", ['a1', 'a10']],
    ['transfer.sender EXISTS', ['a1', 'b1', 'a10']],
    ['message.sender EXISTS AND tx.height=1', ['b1']],
    ['sale.part > 2.4', ['n10']],
    ['sale.part >= 2.5 AND sale.part < 2.51', ['n10']],
    ['sale.price < 0', ['n10']],
    ['transfer.amount > 1', []],
    ["sale.note CONTAINS '\0is'", ['n10']],
    ["transfer.recipient='bo'", []],
    ["nothing.like='this'", []],
  ])('%s', async (query, expected) => {
    expect(await find(query)).toEqual(expected);
    expect(await find(query, 'desc')).toEqual([...expected].reverse());
  });

  test('an event may spell a tag in two ways', async () => {
    const both = [event('a', { 'b.c': 'v' }), event('a.b', { c: 'v' })];
    const [first, second] = both;
    await commit(
      block(12, [
        { tx: 'one', events: first ? [first] : [] },
        { tx: 'two', events: second ? [second] : [] },
        { tx: 'reserved', events: [event('tx', { hash: 'v', height: '1' })] },
      ]),
    );
    expect(await find("a.b.c='v'")).toEqual(['one', 'two']);
    expect(await find('tx.height=12')).toEqual(['one', 'two', 'reserved']);
  });

  test('pages are parts of the whole, in both orders', async () => {
    for (const order of ['asc', 'desc'] as const) {
      const whole = await find('tx.height>0', order);
      const paged: string[] = [];
      for (let skip = 0; skip < whole.length; skip += 2) {
        const page = await indexer.searchTxs({
          query: parseQuery('tx.height>0'),
          order,
          page: (total) => ({ skip, take: Math.min(2, total - skip) }),
        });
        expect(page.total).toBe(5);
        paged.push(...page.items.map((item) => Buffer.from(item.tx).toString()));
      }
      expect(paged).toEqual(whole);
    }
  });

  test('blocks are found by height, with events or without', async () => {
    await commit(block(11, [], [event('mint', { amount: '7' })]));
    expect(await findBlocks('block.height>=2')).toEqual([2, 10, 11]);
    expect(await findBlocks('block.height=2')).toEqual([2]);
    expect(await findBlocks('block.height=3')).toEqual([]);
    expect(await findBlocks("mint.amount='7'")).toEqual([11]);
    expect(await findBlocks('mint.amount>6 AND block.height<11')).toEqual([]);
  });

  test('a query that reads too much is refused, and the next one is answered', async () => {
    await indexer.close();
    indexer = await open({ searchEntriesMax: 3 });
    await expect(find('tx.height>0')).rejects.toMatchObject({ code: 'index.query_too_costly' });
    await expect(find('transfer.sender EXISTS AND transfer.recipient EXISTS')).rejects.toThrow(/narrow it/);
    expect(await find('tx.height=1')).toEqual(['a1', 'b1']);
  });
});

test('blocks that come faster than they are written are written together, none is lost', async () => {
  await indexer.close();
  const database = await LevelDatabase.open(directory);
  let batches = 0;
  const counting: IndexDatabase = {
    get: (key) => database.get(key),
    entries: (range) => database.entries(range),
    close: () => database.close(),
    write: (writes) => {
      batches++;
      return database.write(writes);
    },
  };
  indexer = new Indexer({ database: counting, blocks, logger }, DEFAULT_INDEXER_CONFIG);
  const waiting = [1, 2, 3, 4, 5, 6].map((height) =>
    commit(
      block(height, height === 4 ? [{ tx: 'x' }] : [], [event('epoch', { number: String(height % 2) })]),
    ),
  );
  await Promise.all(waiting);
  expect(await findBlocks("epoch.number='1'")).toEqual([1, 3, 5]);
  expect(await find('tx.height = 4')).toEqual(['x']);
  expect(batches).toBe(2);
});

test('searches that wait are bounded', async () => {
  await indexer.close();
  indexer = await open({ searchesMax: 1, searchesWaitingMax: 1 });
  const results = await Promise.allSettled([1, 2, 3].map(() => find('tx.height=1')));
  expect(results.map((result) => result.status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
});

test('an index that was lost or lags behind is made again from the blocks', async () => {
  const committed = [1, 2, 3].map((height) => block(height, [{ tx: `t${height}` }]));
  for (const each of committed) stored.set(each.height, each);
  const source = { base: 1n, height: 3n, block: (height: bigint) => committed[Number(height) - 1] };
  await commit(committed[0] ?? block(1, []));
  await indexer.close();
  indexer = await open();
  expect(await find('tx.height>0')).toEqual(['t1']);
  await indexer.catchUp(source);
  expect(await find('tx.height>0')).toEqual(['t1', 't2', 't3']);
  await indexer.catchUp({ ...source, block: () => undefined });
});

test('what the stores have forgotten is not found any more', async () => {
  await commit(block(1, [{ tx: 'a', events: [send('alice', 'bob')] }, { tx: 'b' }]));
  await commit(block(2, [{ tx: 'c', events: [send('alice', 'bob')] }]));
  expect(await find("transfer.sender='alice'")).toEqual(['a', 'c']);
  stored.delete(1n);
  expect(await find("transfer.sender='alice'")).toEqual(['c']);
  expect(await indexer.get(txKey(utf8('a')))).toBeUndefined();
});

test('an index in another format is refused with the way out', async () => {
  await indexer.close();
  const database = await LevelDatabase.open(directory);
  await database.write([{ key: LAST_HEIGHT_KEY, value: new Uint8Array(8) }]);
  await database.close();
  indexer = await open();
  const source = { base: 1n, height: 1n, block: () => undefined };
  await expect(indexer.catchUp(source)).rejects.toMatchObject({ code: 'index.format' });
});

test('the places of transactions are those in the encoded block', () => {
  const lengths = fc.array(fc.constantFrom(0, 1, 127, 128, 300, 16_383, 16_384, 70_000), { maxLength: 12 });
  fc.assert(
    fc.property(lengths, fc.nat({ max: 200 }), (made, id) => {
      const { block: plain } = block(1, []);
      const txs = made.map((length, i) => new Uint8Array(length).fill(i + 1));
      const whole = { ...plain, header: Header.create({ chainId: 'c'.repeat(id) }), txs };
      const bytes = encodeBlock(whole);
      const places = encodeTxPlaces(whole);
      for (const [index, tx] of txs.entries()) {
        const place = txPlaceAt(places, index);
        expect(place && bytes.subarray(place.offset, place.offset + place.length)).toEqual(tx);
      }
      expect(txPlaceAt(places, txs.length)).toBeUndefined();
    }),
    { numRuns: 50 },
  );
});

test('a directory in use is refused with the way out', async () => {
  await expect(LevelDatabase.open(directory)).rejects.toThrow(/If another node uses it, stop that one/);
});

test('index and subscriptions agree on which transaction matches a condition', async () => {
  const value = fc.oneof(
    fc.constantFrom('a', 'a\0', '\0', 'a\0\x01b', '', 'ab', '7', '70'),
    fc.string({ maxLength: 6 }),
  );
  const events = fc.array(fc.record({ tag: fc.constantFrom('k', 'kk'), value }), { maxLength: 4 });
  let height = 0;
  await fc.assert(
    fc.asyncProperty(events, value, fc.constantFrom('=', 'CONTAINS'), async (made, wanted, operator) => {
      fc.pre(!wanted.includes("'"));
      height++;
      const own = made.map((attribute) => event('e', { [attribute.tag]: attribute.value }));
      await commit(block(height, [{ tx: `t${height}`, events: own }]));
      const text = `e.k ${operator} '${wanted}'`;
      const subscribed = matches(parseQuery(text), compositeKeys(own));
      expect((await find(`${text} AND tx.height=${height}`)).length).toBe(subscribed ? 1 : 0);
    }),
    { numRuns: 60 },
  );
});

test('pruned blocks leave nothing behind, but what later blocks have taken over', async () => {
  const eve = [send('eve', 'bob')];
  for (let height = 1; height <= 6; height++)
    await commit(
      block(
        height,
        [
          { tx: `own ${height}`, events: eve },
          { tx: height < 4 ? 'early' : 'again', events: [] },
        ],
        [event('epoch', { number: 'odd' })],
      ),
    );
  await indexer.prune({ base: 1n, end: 5n, block: (height) => stored.get(height) });
  for (let height = 1n; height < 5n; height++) stored.delete(height);
  expect(await find("transfer.sender='eve'")).toEqual(['own 5', 'own 6']);
  const page = await indexer.searchTxs({
    query: parseQuery("transfer.sender='eve'"),
    order: 'asc',
    page: (total) => ({ skip: 0, take: total }),
  });
  expect(page.total).toBe(2);
  expect(await findBlocks("epoch.number='odd'")).toEqual([5, 6]);
  expect(await indexer.get(txKey(utf8('own 3')))).toBeUndefined();
  expect(await indexer.get(txKey(utf8('early')))).toBeUndefined();
  expect(await indexer.get(txKey(utf8('again')))).toMatchObject({ height: 6n });

  await indexer.prune({ base: 5n, end: 7n, block: (height) => stored.get(height) });
  expect(await keysLeft()).toEqual([0]); // the mark of the last height
});

test('what was deleted while the index was not written is forgotten on the next start', async () => {
  const eve = [send('eve', 'bob')];
  for (let height = 1; height <= 4; height++)
    await commit(block(height, [{ tx: `own ${height}`, events: eve }], [event('epoch', { number: 'odd' })]));
  expect(await findBlocks('block.height > 0')).toEqual([1, 2, 3, 4]);
  const last = block(5, [{ tx: 'own 1', events: eve }], [event('epoch', { number: 'odd' })]);
  stored.set(5n, last);
  for (let height = 1n; height < 4n; height++) stored.delete(height);
  await indexer.catchUp({ base: 4n, height: 5n, block: (height) => stored.get(height) });
  expect(await find("transfer.sender='eve'")).toEqual(['own 4', 'own 1']);
  expect(await findBlocks("epoch.number='odd'")).toEqual([4, 5]);
  expect(await findBlocks('block.height < 5')).toEqual([4]);
  expect(await indexer.get(txKey(utf8('own 2')))).toBeUndefined();

  for (let height = 4n; height < 6n; height++) stored.delete(height);
  await indexer.catchUp({ base: 6n, height: 5n, block: () => undefined });
  expect(await keysLeft()).toEqual([0]); // the mark of the last height
});

async function keysLeft(): Promise<readonly number[]> {
  await indexer.close();
  const database = await LevelDatabase.open(directory);
  const left: number[] = [];
  for await (const [key] of database.entries({ start: Uint8Array.of(0), end: Uint8Array.of(0xff) }))
    left.push(key[0] ?? -1);
  await database.close();
  indexer = await open();
  return left;
}
