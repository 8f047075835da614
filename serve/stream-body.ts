/** Answers that are sent while they are made. */
import type { ServerResponse } from 'node:http';

/** A body that is written part by part. */
export interface StreamBody {
  /**
   * Always called, also when its client has left meanwhile, or it was made too late.
   * @param send resolves when the client has taken what was sent before, or has left
   * @param signal aborted when the client has left, or does not read
   */
  sendTo(send: (part: string) => Promise<void>, signal: AbortSignal): Promise<void>;
}

/** True of a body that is written part by part. */
export function isStream(body: unknown): body is StreamBody {
  return typeof body === 'object' && body !== null && 'sendTo' in body;
}

/** How long a client may take to read a part, and what is called when it takes longer. */
export interface StreamBounds {
  readonly sendMs: number;
  readonly onStalled: () => void;
}

/** Writes a body behind its head, and ends the answer. Rejects when the body does; then the connection is cut. */
export async function sendStream(
  response: ServerResponse,
  body: StreamBody,
  { sendMs, onStalled }: StreamBounds,
): Promise<void> {
  const leaving = new AbortController();
  const left = new Promise<void>((resolve) => {
    const leave = (): void => {
      leaving.abort();
      resolve();
    };
    if (response.destroyed) leave();
    else response.once('close', leave);
  });
  const send = async (part: string): Promise<void> => {
    if (response.destroyed || response.write(part)) return;
    const timer = setTimeout(() => {
      onStalled();
      response.destroy();
    }, sendMs);
    await Promise.race([left, new Promise<void>((resolve) => response.once('drain', resolve))]);
    clearTimeout(timer);
  };
  try {
    await body.sendTo(send, leaving.signal);
    response.end();
  } catch (error) {
    response.destroy();
    throw error;
  }
}
