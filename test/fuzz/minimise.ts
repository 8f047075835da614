import { concatBytes } from '../../core/bytes.ts';
import { type Failure, judge } from './run.ts';
import type { Target } from './target.ts';

/** Attempts at making an input smaller. */
const ATTEMPTS_MAX = 20_000;

/** The shortest input found that fails in the same way: runs of bytes are left out, then bytes become zero. */
export async function minimise(target: Target, failure: Failure): Promise<Uint8Array> {
  const { failure: first, key } = await judge(target, failure.input);
  // Time and memory are not judged again: they differ each time.
  if (first === undefined) return failure.input;
  let best = failure.input;
  let attempts = 0;
  const fails = async (input: Uint8Array): Promise<boolean> => {
    attempts++;
    return (await judge(target, input)).key === key;
  };
  for (let run = Math.ceil(best.length / 2); run >= 1 && attempts < ATTEMPTS_MAX; run = Math.floor(run / 2)) {
    for (let at = 0; at < best.length && attempts < ATTEMPTS_MAX; ) {
      const shorter = concatBytes(best.subarray(0, at), best.subarray(at + run));
      if (await fails(shorter)) best = shorter;
      else at += run;
    }
  }
  for (let at = 0; at < best.length && attempts < ATTEMPTS_MAX; at++) {
    const zeroed = best.slice().fill(0, at, at + 1);
    if (best[at] !== 0 && (await fails(zeroed))) best = zeroed;
  }
  return best;
}
