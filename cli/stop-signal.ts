/** Signals that ask this process to stop. */
import type { StopSignal } from './devnet/run.ts';

/** One Ctrl-C can arrive twice: from the terminal and passed on by npm. */
const ONE_KEYSTROKE_MS = 500;
const LAUNCHER_CHECK_MS = 1_000;

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
  onLauncherDeath(request);
  return { requested, forced };
}

/** A killed launcher cannot pass its signal on: without it nobody could stop this process from its terminal. */
function onLauncherDeath(stop: () => void): void {
  const launcher = Number(process.env['OPENLEDGERD_LAUNCHER_PID']);
  if (launcher !== process.ppid) return; // started without the launcher, or by another process of ours
  const timer = setInterval(() => {
    if (process.ppid === launcher) return;
    clearInterval(timer);
    stop();
  }, LAUNCHER_CHECK_MS);
  timer.unref();
}
