/** Long work on the thread that serves, in slices between which others have their turns. */
import { setImmediate } from 'node:timers/promises';

/** Receipts of a slice: some milliseconds. */
const SLICE = 1_024;

/** Does something for each of 0 to `count - 1`, in order. */
export async function inSlices(count: number, each: (index: number) => void): Promise<void> {
  for (let index = 0; index < count; index++) {
    if (index % SLICE === SLICE - 1) await setImmediate();
    each(index);
  }
}

/** Items that are long work each: others have their turns after every one. */
export async function* slicesOf<T>(items: Iterable<T>): AsyncGenerator<T, undefined> {
  for (const item of items) {
    yield item;
    await setImmediate();
  }
}
