/** Who gets room: with an application whose accounts have sequences, as the Cosmos SDK's have. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { utf8 } from '../../core/bytes.ts';
import { DEFAULT_MEMPOOL_CONFIG, type MempoolConfig } from './config.ts';
import { Mempool } from './mempool.ts';
import {
  CountingMetrics,
  committed,
  RecordingGossip,
  readTx,
  SequenceApplication,
  silentLogger,
} from './testing.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const textOf = (tx: Uint8Array): string => Buffer.from(tx).toString();

class World {
  readonly application = new SequenceApplication();
  readonly metrics = new CountingMetrics();
  readonly gossip = new RecordingGossip();
  readonly mempool: Mempool;
  nowMs = 0;

  constructor(config: Partial<MempoolConfig>) {
    const { application, metrics, gossip } = this;
    const startTimer = () => () => {};
    const ports = { application, gossip, metrics, logger: silentLogger, startTimer, nowMs: () => this.nowMs };
    this.mempool = new Mempool(ports, { ...DEFAULT_MEMPOOL_CONFIG, ...config });
  }

  held(): readonly string[] {
    return this.mempool.list(1_000_000).map(textOf);
  }

  /** Submits here: 'ok', the code of a refusal by the application, or that of one by the mempool. */
  async submit(text: string): Promise<string> {
    return await this.mempool.checkTx(utf8(text)).then(
      ({ code }) => (code === 0 ? 'ok' : String(code)),
      (error: { readonly code: string }) => error.code,
    );
  }

  async receive(peer: string, ...texts: readonly string[]): Promise<void> {
    this.mempool.receive(texts.map(utf8), peer);
    await turn();
  }

  /** Commits a block, by default of what the mempool gives. */
  async commit(txs: readonly Uint8Array[] = this.mempool.reap(-1, -1n)): Promise<readonly number[]> {
    const release = await this.mempool.lock();
    const codes = this.application.commit(txs);
    await this.mempool.update(committed(txs, codes));
    release();
    return codes;
  }
}

describe('a full mempool', () => {
  test('takes a better price for the worst one, whose sender may come again after the next block', async () => {
    const world = new World({ txsMax: 3 });
    for (const text of ['a/0/5', 'b/0/1', 'c/0/3']) expect(await world.submit(text)).toBe('ok');
    expect(await world.submit('d/0/2')).toBe('ok');
    expect(world.held()).toEqual(['a/0/5', 'c/0/3', 'd/0/2']);
    expect(world.metrics.evicted).toBe(1);
    expect(await world.submit('b/0/1')).toBe('mempool.full_evicted');
    expect(await world.submit('b/1/9')).toBe('mempool.full_predecessor');
    expect(await world.submit('e/0/2')).toBe('mempool.full');
    await world.commit([]);
    expect(await world.submit('b/0/4')).toBe('ok');
    expect(world.held()).toEqual(['a/0/5', 'c/0/3', 'b/0/4']);
  });

  test('puts out the end of a sequence, never its middle; a high fee behind a low one is worth the low one', async () => {
    const world = new World({ txsMax: 3 });
    for (const text of ['a/0/1', 'a/1/9', 'b/0/3']) await world.submit(text);
    expect(await world.submit('c/0/2')).toBe('ok');
    expect(world.held()).toEqual(['a/0/1', 'b/0/3', 'c/0/2']);
  });

  test('does not let a transaction put out the one it has to wait for', async () => {
    const world = new World({ txsMax: 3 });
    await world.receive('peer', 'b/0/1', 'c/0/1', 'a/0/1');
    expect(await world.submit('a/1/1')).toBe('mempool.full');
    expect(world.held()).toEqual(['b/0/1', 'c/0/1', 'a/0/1']);
  });

  test('gives everybody a first before anybody a second', async () => {
    const world = new World({ txsMax: 3 });
    for (const text of ['a/0/1', 'a/1/1', 'a/2/1']) await world.submit(text);
    expect(await world.submit('b/0/1')).toBe('ok');
    expect(await world.submit('c/0/1')).toBe('ok');
    expect(await world.submit('d/0/1')).toBe('mempool.full');
    expect(world.held()).toEqual(['a/0/1', 'b/0/1', 'c/0/1']);
  });

  test('many accounts over one peer do not keep out what comes over another', async () => {
    const world = new World({ txsMax: 4 });
    await world.receive('flood', 'a/0/1', 'b/0/1', 'c/0/1', 'd/0/1');
    await world.receive('other', 'x/0/1', 'x/1/1');
    expect(await world.submit('y/0/1')).toBe('ok');
    expect(world.held()).toEqual(['a/0/1', 'b/0/1', 'x/0/1', 'y/0/1']);
    // The same party under a new name has no second share.
    world.mempool.peerLeft('flood');
    await world.receive('flood2', 'e/0/1');
    expect(world.held()).toEqual(['a/0/1', 'x/0/1', 'y/0/1', 'e/0/1']);
  });

  test('makes room for a large one by bytes, or for none of it', async () => {
    const world = new World({ txsBytesMax: 15 });
    for (const text of ['a/0/1', 'b/0/2', 'c/0/3']) await world.submit(text);
    expect(await world.submit('d/0/2/long')).toBe('mempool.full');
    expect(world.held()).toEqual(['a/0/1', 'b/0/2', 'c/0/3']);
    expect(await world.submit('e/0/3/long')).toBe('ok');
    expect(world.held()).toEqual(['c/0/3', 'e/0/3/long']);
  });

  test('limits of one sender: by count and by bytes', async () => {
    const world = new World({ senderTxsMax: 2, senderBytesMax: 12 });
    expect(await world.submit('a/0/1')).toBe('ok');
    expect(await world.submit('a/1/1')).toBe('ok');
    expect(await world.submit('a/2/1')).toBe('mempool.full_sender_count');
    expect(await world.submit('b/0/1')).toBe('ok');
    expect(await world.submit('b/1/1/long')).toBe('mempool.full_sender_bytes');
  });

  test('a refusal says what was full and what to do, and is known to the SDK by its beginning', async () => {
    const world = new World({ senderTxsMax: 1 });
    await world.submit('a/0/1');
    await expect(world.mempool.checkTx(utf8('a/1/1'))).rejects.toMatchObject({
      sdkCode: 20,
      message: expect.stringMatching(/^mempool is full: number of txs 1 .*this sender has as many/),
    });
  });
});

describe('age', () => {
  test('what no block took for so many blocks is dropped, with what follows it', async () => {
    const world = new World({ ttlBlocks: 2 });
    await world.submit('a/0/1');
    await world.commit([]);
    await world.submit('a/1/1');
    await world.submit('b/0/1');
    await world.commit([]);
    expect(world.held()).toEqual(['b/0/1']);
    expect(world.metrics.expired).toBe(2);
    expect(await world.submit('a/0/1')).toBe('mempool.tx_too_old');
    await world.commit([]);
    expect(await world.submit('a/0/1')).toBe('ok');
  });

  test('so is what waited for so long', async () => {
    const world = new World({ ttlMs: 1_000 });
    await world.submit('a/0/1');
    world.nowMs = 999;
    await world.commit([]);
    expect(world.held()).toEqual(['a/0/1']);
    world.nowMs = 1_000;
    await world.commit([]);
    expect(world.held()).toEqual([]);
  });
});

describe('what waits for a check', () => {
  test('a peer that fills the queue loses its own newest, not those of others', async () => {
    const world = new World({ queueMax: 4 });
    const release = await world.mempool.lock();
    world.mempool.receive(
      ['a', 'b', 'c', 'd', 'e'].map((name) => utf8(`${name}/0/1`)),
      'flood',
    );
    world.mempool.receive([utf8('x/0/1'), utf8('x/1/1'), utf8('x/2/1')], 'other');
    const own = world.submit('y/0/1');
    release();
    expect(await own).toBe('ok');
    expect(world.held()).toEqual(['a/0/1', 'x/0/1', 'x/1/1', 'y/0/1']);
    expect(world.metrics.rejected).toBe(5);
  });

  test('what a block took while it waited does not come in', async () => {
    const world = new World({});
    const release = await world.mempool.lock();
    const waiting = world.submit('a/0/1');
    const codes = world.application.commit([utf8('a/0/1')]);
    await world.mempool.update(committed([utf8('a/0/1')], codes));
    release();
    expect(await waiting).toBe('mempool.tx_in_cache');
  });
});

test('a held transaction keeps nothing but its own bytes', async () => {
  const world = new World({});
  const message = new Uint8Array(1_000_000);
  const text = utf8(`a/0/1/${'x'.repeat(100)}`);
  message.set(text, 500);
  await world.mempool.checkTx(message.subarray(500, 500 + text.length));
  const [held] = world.mempool.list(1);
  expect(held?.buffer.byteLength).toBe(text.length);
});

const name = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('tx' as const),
      sender: name,
      ahead: fc.constantFrom(0, 0, 0, 0, 1),
      fee: fc.integer({ min: 0, max: 3 }),
      long: fc.nat(12),
      peer: fc.constantFrom(undefined, undefined, 'p', 'q', 'r'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('block' as const), count: fc.nat(4) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('rival' as const), sender: name }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('again' as const), pick: fc.nat(1_000) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('left' as const), peer: fc.constantFrom('p', 'q') }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const LIMITS = { txsMax: 8, txsBytesMax: 90, senderTxsMax: 5, senderBytesMax: 60, ttlBlocks: 4, queueMax: 4 };

async function take(world: World, next: Step, done: string[], serial: number): Promise<void> {
  const { application, mempool } = world;
  if (next.kind === 'tx') {
    const sequence = application.nextOf(next.sender) + next.ahead;
    const text = `${next.sender}/${sequence}/${next.fee}/${serial}${'x'.repeat(next.long)}`;
    if (next.peer === undefined) await world.submit(text);
    else await world.receive(next.peer, text);
  } else if (next.kind === 'block') {
    const txs = mempool.list(next.count);
    const codes = await world.commit(txs);
    expect(codes.every((code) => code === 0)).toBe(true);
    done.push(...txs.map(textOf));
  } else if (next.kind === 'rival') {
    const text = `${next.sender}/${application.committed.get(next.sender) ?? 0}/1/rival${serial}`;
    await world.commit([utf8(text)]);
    done.push(text);
  } else if (next.kind === 'left') mempool.peerLeft(next.peer);
  else {
    const text = done[next.pick % Math.max(1, done.length)];
    if (text !== undefined) expect(await world.submit(text)).not.toBe('ok');
  }
}

test('bounds, order of each sender and accounts hold after any arrivals, blocks, evictions and peers', async () => {
  let evicted = 0;
  let expired = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 30, maxLength: 80 }), async (steps) => {
      const world = new World(LIMITS);
      const { mempool, metrics } = world;
      const done: string[] = [];
      for (const [serial, next] of steps.entries()) {
        await take(world, next, done, serial);
        const held = world.held();
        expect(mempool.size).toBe(held.length);
        expect(mempool.sizeBytes).toBe(held.join('').length);
        expect(mempool.size).toBeLessThanOrEqual(LIMITS.txsMax);
        expect(mempool.sizeBytes).toBeLessThanOrEqual(LIMITS.txsBytesMax);
        // Nothing that was accepted is lost unsaid.
        const taken = done.filter((text) => !text.includes('rival')).length;
        expect(metrics.accepted).toBe(held.length + taken + metrics.evicted + metrics.expired);
        const sequences = new Map(world.application.committed);
        const counts = new Map<string, number>();
        for (const tx of mempool.reap(-1, -1n)) {
          const { sender, sequence } = readTx(tx);
          expect(sequence).toBe(sequences.get(sender) ?? 0);
          sequences.set(sender, sequence + 1);
          counts.set(sender, (counts.get(sender) ?? 0) + 1);
        }
        expect(Math.max(0, ...counts.values())).toBeLessThanOrEqual(LIMITS.senderTxsMax);
        expect(done.filter((text) => held.includes(text))).toEqual([]);
      }
      evicted += metrics.evicted;
      expired += metrics.expired;
    }),
    { numRuns: 40 },
  );
  // The limits were felt: the property is not about an empty room.
  expect(evicted).toBeGreaterThan(40);
  expect(expired).toBeGreaterThan(10);
});

test('99 % junk from three peers: an honest sender is in a block within as many blocks as a full pool fills, and one', async () => {
  const world = new World({ txsMax: 200, queueMax: 300, checksMax: 20 });
  const PER_BLOCK = 50;
  const WITHIN_BLOCKS = 200 / PER_BLOCK + 1;
  let account = 0;
  let sequence = 0;
  const since = new Map<string, number>();
  let worst = 0;
  for (let block = 0; block < 30; block++) {
    for (const peer of ['x', 'y', 'z']) {
      // Half of it is refused by the application; half is valid, at the honest price, each of its own account.
      const texts = Array.from({ length: 330 }, (_, i) => `${peer}${account++}/${i % 2}/1`);
      await world.receive(peer, ...texts.slice(0, 300));
      // One account that sends as much as it can, too.
      const own = world.application.nextOf(`rich${peer}`);
      await world.receive(peer, ...texts.slice(300).map((_, i) => `rich${peer}/${own + i}/1`));
    }
    for (let i = 0; i < 10 && block < 20; i++) {
      const text = `honest/${sequence}/1`;
      if (!since.has(text)) since.set(text, block);
      if ((await world.submit(text)) !== 'ok') break; // again after the next block
      sequence++;
    }
    const txs = world.mempool.list(PER_BLOCK);
    expect((await world.commit(txs)).every((code) => code === 0)).toBe(true);
    sequence = Math.max(world.application.committed.get('honest') ?? 0, world.application.nextOf('honest'));
    for (const text of txs.map(textOf)) {
      const from = since.get(text);
      if (from === undefined) continue;
      worst = Math.max(worst, block + 1 - from);
      since.delete(text);
    }
  }
  expect(world.mempool.size).toBeGreaterThan(0);
  expect(world.metrics.evicted).toBeGreaterThan(100);
  expect(world.application.committed.get('honest')).toBeGreaterThan(100);
  expect(worst).toBeLessThanOrEqual(WITHIN_BLOCKS);
});
