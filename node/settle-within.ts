/**
 * Waits for something that ends, but no longer than the time given: what cannot be closed must not keep a
 * process that has failed from saying why. True when it ended in time, however it ended.
 */
export function settleWithin(promise: Promise<unknown>, limitMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    // Keeps the process alive: whoever waits has something to say afterwards.
    const timer = setTimeout(() => resolve(false), limitMs);
    const ended = (): void => {
      clearTimeout(timer);
      resolve(true);
    };
    promise.then(ended, ended);
  });
}
