import { expect, test } from 'vitest';
import { type Outlet, writePieces } from './streams.ts';

const WINDOW = 1_000;

/** A stream whose reader takes nothing by itself. */
class SlowOutlet extends EventTarget implements Outlet {
  readonly status = 'open';
  writeBufferLength = 0;

  get writableNeedsDrain(): boolean {
    return this.writeBufferLength > 0;
  }

  send(bytes: Uint8Array): boolean {
    this.writeBufferLength += bytes.length;
    return false;
  }

  async read(bytes: number): Promise<void> {
    this.writeBufferLength = Math.max(0, this.writeBufferLength - bytes);
    this.dispatchEvent(new Event('drain'));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('what is taken of a piece is told before all of it is', async () => {
  const stream = new SlowOutlet();
  const told: number[] = [];
  const signal = new AbortController().signal;
  const frame = new Uint8Array(3 * WINDOW + 1);
  const written = writePieces(stream, frame, { signal, taken: (bytes) => void told.push(bytes) });
  expect(told).toEqual([]);
  for (let i = 1; i <= 4; i++) {
    await stream.read(WINDOW);
    expect(told.length).toBe(i);
  }
  await written;
  expect(told).toEqual([WINDOW, WINDOW, WINDOW, 1]);
});
