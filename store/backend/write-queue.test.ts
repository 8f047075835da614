import { expect, test } from 'vitest';
import { utf8 } from '../../core/bytes.ts';
import type { Backend } from './backend.ts';
import { MemoryBackend } from './memory.ts';
import { WriteQueue } from './write-queue.ts';

class CountingBackend extends MemoryBackend {
  readonly sizes: number[] = [];

  override async write(...[batch, options]: Parameters<Backend['write']>): Promise<void> {
    this.sizes.push(batch.length);
    await super.write(batch, options);
  }
}

function counted(): { readonly queue: WriteQueue; readonly sizes: readonly number[] } {
  const backend = new CountingBackend();
  return { queue: new WriteQueue(backend), sizes: backend.sizes };
}

const add = (queue: WriteQueue, key: string): void => queue.add([{ key: utf8(key), value: utf8('v') }]);

test('held batches go out together when they are written, and as they come after the release', async () => {
  const { queue, sizes } = counted();
  queue.hold();
  add(queue, 'a');
  add(queue, 'b');
  let flushed = false;
  const flush = queue.flush().then(() => (flushed = true));
  await new Promise((resolve) => setImmediate(resolve));
  expect([sizes, flushed]).toEqual([[], false]);
  await queue.writeHeld();
  await flush;
  expect([sizes, flushed]).toEqual([[2], true]);
  add(queue, 'c');
  queue.release();
  await queue.flush();
  add(queue, 'd');
  await queue.flush();
  expect(sizes).toEqual([2, 1, 1]);
});

test('who waits for held batches goes on when they are given up', async () => {
  const { queue, sizes } = counted();
  queue.hold();
  add(queue, 'a');
  const flush = queue.flush();
  queue.dropHeld();
  await flush;
  expect(sizes).toEqual([]);
});
