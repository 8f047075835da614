/**
 * Questions over HTTP that end: each attempt has a time from the question to the last byte of the answer, and
 * there are only so many. Who is busy (429, 503) and says when to come again (`Retry-After`, RFC 9110 10.2.3)
 * is waited for, all in all as long as one attempt may take: his pauses, and the time that he took to say so.
 * What must not be asked twice (`retries` is 0) is asked once, whatever the answer is.
 */
import { LedgerError, messageOf } from '../core/errors.ts';

/** What time is asked of. */
export interface Timers {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls back once after so many milliseconds, unless it is stopped by what it returns. */
  after(ms: number, call: () => void): () => void;
}

/** The machine's. */
export const systemTimers: Timers = {
  now: Date.now,
  after: (ms, call) => {
    const timer = setTimeout(call, ms);
    return () => clearTimeout(timer);
  },
};

/** How long, and how often. */
export interface AskLimits {
  /** From the question to the last byte of the answer; and all that is given to who is busy together. */
  readonly timeMs: number;
  /** Times that a question is asked again when there is no answer; when it is 0, also not of who is busy. */
  readonly retries: number;
}

/** A question, and what is made of the answer; reading rejects when the answer breaks off. */
export interface Question<T> extends RequestInit {
  readonly url: string;
  read(response: Response): Promise<T>;
}

/** Who asks. */
export interface Asker {
  readonly limits: AskLimits;
  readonly timers: Timers;
  /** Ends everything. */
  readonly signal?: AbortSignal;
}

/** Pause after the first failure, twice as long after each further one. */
const PAUSE_MS = 100;

/** Least pause for who is busy, also when he says 0: so he is not asked without end. */
const BUSY_PAUSE_MS = 250;

/** Why there is no answer. */
interface Failure {
  readonly cause: unknown;
  /** What who is busy asks for. */
  readonly retryAfterMs?: number | undefined;
}

/** @throws LedgerError `watch.no_answer` with what was wrong the last time */
export async function ask<T>(question: Question<T>, asker: Asker): Promise<T> {
  const {
    limits: { timeMs, retries },
    timers,
  } = asker;
  let failures = 0;
  let busyMs = 0;
  for (;;) {
    const askedAt = timers.now();
    const outcome = await attempt(question, asker);
    if ('answer' in outcome) return outcome.answer;
    const { cause, retryAfterMs } = outcome;
    const isBusy = retryAfterMs !== undefined && retries > 0;
    const pauseMs = isBusy ? Math.max(retryAfterMs, BUSY_PAUSE_MS) : PAUSE_MS * 2 ** failures;
    // The clock may have been set back.
    if (isBusy) busyMs += pauseMs + Math.max(0, timers.now() - askedAt);
    else failures++;
    if (failures > retries || busyMs > timeMs || isTold(asker)) throw noAnswer(cause);
    await pause(pauseMs, asker);
    if (isTold(asker)) throw noAnswer(cause);
  }
}

/** Whether it is told to stop. */
function isTold({ signal }: Asker): boolean {
  return signal?.aborted === true;
}

function noAnswer(cause: unknown): LedgerError {
  return new LedgerError('watch.no_answer', `no answer: ${messageOf(cause)}`, {}, cause);
}

async function attempt<T>(
  { url, read, ...init }: Question<T>,
  { limits: { timeMs }, timers, signal }: Asker,
): Promise<{ readonly answer: T } | Failure> {
  // One controller of our own: what AbortSignal.any makes may be collected before its time has come.
  const cancel = new AbortController();
  const stop = (): void => cancel.abort(new Error('it was told to stop'));
  const stopTimer = timers.after(timeMs, () => cancel.abort(new Error(`not within ${timeMs} ms`)));
  signal?.addEventListener('abort', stop);
  if (signal?.aborted === true) stop();
  try {
    const response = await fetch(url, { ...init, signal: cancel.signal });
    const { status } = response;
    if (status !== 429 && status < 500) return { answer: await read(response) };
    await response.body?.cancel();
    const isBusy = status === 429 || status === 503;
    const retryAfterMs = isBusy ? pauseAskedFor(response.headers.get('retry-after'), timers) : undefined;
    return { cause: new Error(`HTTP status ${status}`), retryAfterMs };
  } catch (cause) {
    return { cause: cancel.signal.aborted ? cancel.signal.reason : cause };
  } finally {
    stopTimer();
    signal?.removeEventListener('abort', stop);
  }
}

/** Milliseconds of a `Retry-After` in seconds or as a date; undefined for anything else. */
function pauseAskedFor(header: string | null, timers: Timers): number | undefined {
  if (header === null) return undefined;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000;
  // All dates of HTTP end so; what else a date may be hangs on the engine.
  const at = header.endsWith(' GMT') ? Date.parse(header) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - timers.now());
}

function pause(ms: number, { timers, signal }: Asker): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      stopTimer();
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const stopTimer = timers.after(ms, end);
    signal?.addEventListener('abort', end);
  });
}
