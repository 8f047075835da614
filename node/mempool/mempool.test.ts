import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { utf8 } from '../../core/bytes.ts';
import {
  CheckTxType,
  type RequestCheckTx,
  type ResponseCheckTx,
} from '../../proto/gen/tendermint/abci/types.ts';
import { DEFAULT_MEMPOOL_CONFIG, type MempoolConfig } from './config.ts';
import { Mempool } from './mempool.ts';
import {
  CountingMetrics,
  checked,
  committed,
  ManualTimer,
  RecordingGossip,
  silentLogger,
} from './testing.ts';

function setUp(
  options: {
    readonly config?: Partial<MempoolConfig>;
    readonly check?: (request: RequestCheckTx) => Promise<ResponseCheckTx>;
    readonly roomInBlock?: () => number;
  } = {},
) {
  const requests: RequestCheckTx[] = [];
  const gossip = new RecordingGossip();
  const metrics = new CountingMetrics();
  const timer = new ManualTimer();
  const check = options.check ?? (async () => checked(0));
  const application = {
    checkTx: (request: RequestCheckTx) => {
      requests.push(request);
      return check(request);
    },
  };
  const { roomInBlock = () => Number.POSITIVE_INFINITY } = options;
  const ports = {
    ...{ application, gossip, metrics, roomInBlock },
    ...{ logger: silentLogger, startTimer: timer.start },
  };
  const mempool = new Mempool(ports, { ...DEFAULT_MEMPOOL_CONFIG, ...options.config });
  return { mempool, requests, gossip, metrics, timer };
}

const tx = (name: string): Uint8Array => utf8(name);
const names = (txs: readonly Uint8Array[]): string[] => txs.map((bytes) => Buffer.from(bytes).toString());

describe('admission', () => {
  test('keeps what the application accepts, in order', async () => {
    const { mempool } = setUp();
    await Promise.all(['a', 'b', 'c'].map((name) => mempool.checkTx(tx(name))));
    expect(names(mempool.list(10))).toEqual(['a', 'b', 'c']);
    expect(mempool.sizeBytes).toBe(3);
  });

  test('hands back a refusal and forgets the transaction', async () => {
    let code = 5;
    const { mempool } = setUp({ check: async () => checked(code) });
    expect((await mempool.checkTx(tx('a'))).code).toBe(5);
    expect(mempool.size).toBe(0);
    code = 0;
    expect((await mempool.checkTx(tx('a'))).code).toBe(0);
  });

  test('knows a transaction again, also while it is being checked', async () => {
    const { mempool, metrics } = setUp();
    const first = mempool.checkTx(tx('a'));
    await expect(mempool.checkTx(tx('a'))).rejects.toMatchObject({
      message: 'tx already exists in cache',
      sdkCode: 19,
    });
    await first;
    await expect(mempool.checkTx(tx('a'))).rejects.toMatchObject({ code: 'mempool.tx_in_cache' });
    expect(metrics.alreadyReceived).toBe(2);
  });

  test('refuses what is too large without asking the application', async () => {
    const { mempool, requests } = setUp({ config: { txBytesMax: 3 } });
    await expect(mempool.checkTx(tx('four'))).rejects.toMatchObject({
      sdkCode: 21,
      message: 'Tx too large. Max size is 3, but got 4',
    });
    expect(requests).toEqual([]);
  });

  test('holds nothing that fits no block, also after blocks have become smaller', async () => {
    let room = 6;
    const { mempool, requests } = setUp({ roomInBlock: () => room });
    await mempool.checkTx(tx('four')); // with tag and length six bytes
    await expect(mempool.checkTx(tx('fives'))).rejects.toMatchObject({ code: 'mempool.tx_too_large' });
    await mempool.checkTx(tx('a'));
    room = 5;
    await mempool.update(committed([]));
    expect(names(mempool.list(10))).toEqual(['a']);
    expect(requests).toHaveLength(3); // two checks and one recheck
  });

  test('says that it is full, by count and by bytes, and takes it later', async () => {
    const { mempool } = setUp({ config: { txsMax: 2, txsBytesMax: 100 } });
    await mempool.checkTx(tx('a'));
    await mempool.checkTx(tx('b'));
    await expect(mempool.checkTx(tx('c'))).rejects.toMatchObject({
      sdkCode: 20,
      message: 'mempool is full: number of txs 2 (max: 2), total txs bytes 2 (max: 100)',
    });
    await mempool.update(committed([tx('a')]));
    await mempool.checkTx(tx('c'));
    expect(names(mempool.list(10))).toEqual(['b', 'c']);

    const bytes = setUp({ config: { txsBytesMax: 5 } }).mempool;
    await bytes.checkTx(tx('aaaa'));
    await expect(bytes.checkTx(tx('bb'))).rejects.toMatchObject({ sdkCode: 20 });
  });

  test('never has more checks under way than allowed, and bounds what waits', async () => {
    const open: ((response: ResponseCheckTx) => void)[] = [];
    const { mempool, requests } = setUp({
      config: { checksMax: 2, queueMax: 3 },
      check: () => new Promise((resolve) => open.push(resolve)),
    });
    const results = ['a', 'b', 'c', 'd', 'e'].map((name) => mempool.checkTx(tx(name)));
    expect(requests.length).toBe(2);
    await expect(mempool.checkTx(tx('f'))).rejects.toMatchObject({ sdkCode: 20 });
    while (open.length > 0) {
      open.shift()?.(checked(0));
      await Promise.resolve();
      await Promise.resolve();
    }
    await Promise.all(results);
    expect(names(mempool.list(10))).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  test('an application that fails is an error for the sender, and the transaction may come again', async () => {
    let broken = true;
    const { mempool } = setUp({
      check: async () => {
        if (broken) throw new Error('application is gone');
        return checked(0);
      },
    });
    await expect(mempool.checkTx(tx('a'))).rejects.toThrow('application is gone');
    broken = false;
    expect((await mempool.checkTx(tx('a'))).code).toBe(0);
  });

  test('tells listeners of the first transaction only', async () => {
    const { mempool } = setUp();
    let calls = 0;
    const stop = mempool.onTransactions(() => calls++);
    await mempool.checkTx(tx('a'));
    await mempool.checkTx(tx('b'));
    expect(calls).toBe(1);
    await mempool.update(committed([tx('a'), tx('b')]));
    await mempool.checkTx(tx('c'));
    expect(calls).toBe(2);
    stop();
  });
});

describe('reap', () => {
  test('counts the bytes as the block will, and passes over what does not fit', async () => {
    const { mempool } = setUp();
    await mempool.checkTx(new Uint8Array(100).fill(1));
    await mempool.checkTx(new Uint8Array(200).fill(2));
    await mempool.checkTx(new Uint8Array(1).fill(3));
    expect(mempool.reap(-1, -1n).length).toBe(3);
    expect(mempool.reap(102, -1n).length).toBe(1);
    expect(mempool.reap(101, -1n)).toEqual([Uint8Array.of(3)]);
    expect(mempool.reap(2, -1n)).toEqual([]);
    expect(mempool.reap(102 + 203, -1n).length).toBe(2);
    expect(mempool.reap(102 + 202, -1n).map((bytes) => bytes.length)).toEqual([100, 1]);
    expect(mempool.reap(-1, 2n).length).toBe(2);
    expect(mempool.reap(-1, 0n).length).toBe(0);
  });
});

describe('a committed block', () => {
  test('takes out what it holds; what succeeded stays known, what failed may come again', async () => {
    const { mempool } = setUp();
    for (const name of ['a', 'b', 'c']) await mempool.checkTx(tx(name));
    await mempool.update(committed([tx('a'), tx('b')], [0, 5]));
    expect(names(mempool.list(10))).toEqual(['c']);
    await expect(mempool.checkTx(tx('a'))).rejects.toMatchObject({ sdkCode: 19 });
    expect((await mempool.checkTx(tx('b'))).code).toBe(0);
  });

  test('has the rest checked again, in order, and drops what is refused', async () => {
    const { mempool, requests, metrics } = setUp({
      config: { recheckBatch: 2 },
      check: async (request) =>
        checked(request.type === CheckTxType.RECHECK && Buffer.from(request.tx).toString() === 'c' ? 32 : 0),
    });
    for (const name of ['a', 'b', 'c', 'd']) await mempool.checkTx(tx(name));
    requests.length = 0;
    await mempool.update(committed([tx('a')]));
    expect(names(requests.map((request) => request.tx))).toEqual(['b', 'c', 'd']);
    expect(requests.every((request) => request.type === CheckTxType.RECHECK)).toBe(true);
    expect(names(mempool.list(10))).toEqual(['b', 'd']);
    expect(metrics).toMatchObject({ rechecks: 3, size: 2, bytes: 2 });
  });

  test('the lock waits for running checks and holds new ones back', async () => {
    const open: ((response: ResponseCheckTx) => void)[] = [];
    const { mempool, requests } = setUp({ check: () => new Promise((resolve) => open.push(resolve)) });
    const first = mempool.checkTx(tx('a'));
    let locked = false;
    const lock = mempool.lock().then((release) => {
      locked = true;
      return release;
    });
    const second = mempool.checkTx(tx('b'));
    await Promise.resolve();
    expect(locked).toBe(false);
    open.shift()?.(checked(0));
    const release = await lock;
    await first;
    expect(requests.length).toBe(1);
    release();
    release();
    expect(requests.length).toBe(2);
    open.shift()?.(checked(0));
    await second;
    expect(mempool.size).toBe(2);
  });

  test('locks are given out one after the other', async () => {
    const { mempool } = setUp();
    const release = await mempool.lock();
    const order: string[] = [];
    const second = mempool.lock().then((next) => {
      order.push('second');
      return next;
    });
    order.push('first');
    release();
    (await second)();
    expect(order).toEqual(['first', 'second']);
    expect((await mempool.checkTx(tx('a'))).code).toBe(0);
  });
});

describe('gossip', () => {
  test('goes out in batches, and not back to where it came from', async () => {
    const { mempool, gossip, timer } = setUp();
    await mempool.checkTx(tx('mine'));
    await mempool.checkTx(tx('own'));
    // The peer sends it, too: so it has it.
    mempool.receive([tx('p1'), tx('p2'), tx('mine')], 'peer');
    await new Promise((resolve) => setImmediate(resolve));
    expect(gossip.batches).toEqual([]);
    timer.fire();
    expect(gossip.batches.map(({ txs, senders }) => [...senders, names(txs)])).toEqual([
      ['peer', ['mine', 'p1', 'p2']],
      [['own']],
    ]);
    expect(timer.running).toBe(false);
  });

  test('a full batch does not wait for the window', async () => {
    const { mempool, gossip } = setUp({ config: { gossipBatchBytes: 6 } });
    for (const name of ['aaa', 'bbb', 'ccc']) await mempool.checkTx(tx(name));
    expect(gossip.batches.map(({ txs }) => names(txs))).toEqual([['aaa', 'bbb']]);
    mempool.stop();
  });

  test('what peers send too much of is dropped, not thrown', async () => {
    const { mempool, metrics } = setUp({ config: { txsMax: 1, txBytesMax: 2 } });
    mempool.receive([tx('a'), tx('b'), tx('long')], 'peer');
    await new Promise((resolve) => setImmediate(resolve));
    expect(mempool.size).toBe(1);
    expect(metrics).toMatchObject({ rejected: 1, failed: 1 });
  });
});

test('count, bytes, order and membership agree after any sequence of steps', async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('check' as const), name: fc.nat(30) }),
    fc.record({ kind: fc.constant('commit' as const), count: fc.nat(5) }),
    fc.record({ kind: fc.constant('receive' as const), name: fc.nat(30) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const { mempool } = setUp({ config: { txsMax: 10, cacheMax: 20 } });
      for (const next of steps) {
        if (next.kind === 'check') await mempool.checkTx(tx(`t${next.name}`)).catch(() => {});
        else if (next.kind === 'commit') await mempool.update(committed(mempool.list(next.count)));
        else mempool.receive([tx(`t${next.name}`)], 'peer');
        await new Promise((resolve) => setImmediate(resolve));
        const held = names(mempool.list(1000));
        expect(new Set(held).size).toBe(held.length);
        expect(held.length).toBe(mempool.size);
        expect(held.length).toBeLessThanOrEqual(10);
        expect(held.join('').length).toBe(mempool.sizeBytes);
        expect(names(mempool.reap(-1, -1n))).toEqual(held);
      }
    }),
    { numRuns: 50 },
  );
});
