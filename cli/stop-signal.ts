/** Signals that ask this process to stop. */
import type { StopSignal } from './devnet/run.ts';

/** One Ctrl-C can arrive twice: from the terminal and passed on by npm. */
const ONE_KEYSTROKE_MS = 500;

/**
 * SIGINT, SIGTERM and SIGHUP ask to stop, a second SIGINT to stop at once. A closed standard output (`|
 * head`) asks too: nobody reads on.
 */
export function processStopSignal(): StopSignal {
  let request: () => void = () => undefined;
  let force: () => void = () => undefined;
  const requested = new Promise<void>((resolve) => {
    request = resolve;
  });
  const forced = new Promise<void>((resolve) => {
    force = resolve;
  });
  let firstMs: number | undefined;
  process.on('SIGINT', () => {
    firstMs ??= performance.now();
    if (performance.now() - firstMs > ONE_KEYSTROKE_MS) force();
    request();
  });
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, request);
  process.stdout.on('error', request);
  return { requested, forced };
}
