import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { heapSampleFile, type HeapSample } from './heap-sample.ts';
import { growthSince, type MemoryMinute, MemoryWatch } from './memory-watch.ts';

const HEAP: HeapSample = {
  heapBytes: 80,
  usedAfterCollectionBytes: 40,
  collections: 3,
  externalBytes: 20,
  arrayBufferBytes: 10,
};

function minute(number: number, rssBytes: number): MemoryMinute {
  return { minute: number, rssBytes, anonymousBytes: rssBytes, fileBytes: 0, heap: HEAP };
}

test('samples are put together by the minute', () => {
  const folder = mkdtempSync(join(tmpdir(), 'openledgerd-bench-'));
  try {
    const watch = new MemoryWatch([process.pid], folder);
    writeFileSync(heapSampleFile(folder, process.pid), JSON.stringify(HEAP));
    watch.take(0);
    writeFileSync(
      heapSampleFile(folder, process.pid),
      JSON.stringify({ ...HEAP, heapBytes: 100, collections: 4 }),
    );
    watch.take(59.9);
    watch.take(60);
    const [first, second, ...more] = watch.largest();
    expect(more).toEqual([]);
    expect([first?.minute, first?.heap.heapBytes, first?.heap.collections]).toEqual([1, 90, 4]);
    expect([second?.minute, second?.heap.heapBytes]).toEqual([2, 100]);
    const { rssBytes = 0, anonymousBytes = 0, fileBytes = 0 } = second ?? {};
    expect(anonymousBytes).toBeGreaterThan(1_000_000);
    expect(anonymousBytes + fileBytes).toBeLessThanOrEqual(rssBytes);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a process that is gone has no samples, one without a probe no heap', () => {
  const watch = new MemoryWatch([2 ** 30, process.pid], undefined);
  watch.take(0);
  const minutes = watch.largest();
  expect(minutes.map((each) => each.heap.heapBytes)).toEqual([0]);
});

test('growth is taken from a minute to the last', () => {
  const rss = ({ rssBytes }: MemoryMinute): number => rssBytes;
  const minutes = [minute(2, 100), minute(3, 200), minute(4, 500), minute(5, 210)];
  expect(growthSince(minutes, 3, rss)).toBeCloseTo(0.05);
  expect(growthSince(minutes, 5, rss)).toBeUndefined();
  expect(growthSince(minutes, 1, rss)).toBeUndefined();
});
