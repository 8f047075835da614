/** How long others are waited for. */

/** A wait that ends: by its time, or because it is told to stop. */
export interface TimeLimit {
  /** Aborts when the time is over, or with the reason of whoever stops it. */
  readonly signal: AbortSignal;
  /** True when it was the time that ended the wait. */
  isOver(): boolean;
  /** To be called when nothing is waited for any more; the signal stays as it is. */
  end(): void;
}

/**
 * Begins to wait, `timeoutMs` at most. The timer holds the signal: `AbortSignal.any` holds one of
 * `AbortSignal.timeout` weakly, and Node.js 20 may collect it before it has fired (nodejs/node#57736).
 */
export function timeLimit(timeoutMs: number, stop?: AbortSignal): TimeLimit {
  const controller = new AbortController();
  let isOver = false;
  const timer = setTimeout(() => {
    isOver = !controller.signal.aborted;
    controller.abort(new DOMException(`not within ${timeoutMs} ms`, 'TimeoutError'));
  }, timeoutMs);
  const onStop = (): void => controller.abort(stop?.reason);
  stop?.addEventListener('abort', onStop);
  if (stop?.aborted === true) onStop();
  return {
    signal: controller.signal,
    isOver: () => isOver,
    end() {
      clearTimeout(timer);
      stop?.removeEventListener('abort', onStop);
    },
  };
}
