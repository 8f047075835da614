/** Signals that ask this process to stop. */
import type { StopSignal } from './devnet/run.ts';

/** One Ctrl-C can arrive twice: from the terminal and passed on by npm. */
const ONE_KEYSTROKE_MS = 500;

/**
 * The first SIGINT, SIGTERM or SIGHUP asks to stop, the second to stop at once. A closed standard output (`| head`) asks
 * too: nobody reads on.
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
  const onSignal = (): void => {
    firstMs ??= performance.now();
    if (performance.now() - firstMs > ONE_KEYSTROKE_MS) force();
    request();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  process.stdout.on('error', request);
  return { requested, forced };
}
