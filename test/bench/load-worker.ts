/** A thread that sends requests one after another on so many connections, and says how long answers took. */
import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';

/** What is sent. */
export interface LoadOrder {
  readonly url: string;
  /** Sent by turns. */
  readonly bodies: readonly Uint8Array[];
  readonly connections: number;
  readonly seconds: number;
}

/** What came back. */
export interface LoadResult {
  readonly seconds: number;
  /** Milliseconds from a request to the end of its answer, of those with status 200. */
  readonly times: readonly number[];
  /** Answers with 503: who had one waited as long as `Retry-After` said. */
  readonly busy: number;
  /** Other answers, and connections that broke. */
  readonly failed: number;
  /** Of an answer with status 200, a mean. */
  readonly answerBytes: number;
}

const MS = 1000;

async function load({ url, bodies, connections, seconds }: LoadOrder): Promise<LoadResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const times: number[] = [];
  let busy = 0;
  let failed = 0;
  let bytes = 0;
  let sent = 0;
  const begun = performance.now();
  const isOver = (): boolean => performance.now() - begun >= seconds * MS;
  const one = async (): Promise<void> => {
    while (!isOver()) {
      const from = performance.now();
      const answer = await post(url, agent, bodies[sent++ % bodies.length] ?? new Uint8Array(0));
      if (answer.status === 200) {
        times.push(performance.now() - from);
        bytes += answer.bytes;
      } else if (answer.status === 503) {
        busy++;
        await delay(answer.retryAfter * MS);
      } else failed++;
    }
  };
  await Promise.all(Array.from({ length: connections }, one));
  agent.destroy();
  const answerBytes = Math.round(bytes / Math.max(1, times.length));
  return { seconds: (performance.now() - begun) / MS, times, busy, failed, answerBytes };
}

interface Answered {
  /** 0: the connection broke. */
  readonly status: number;
  readonly bytes: number;
  readonly retryAfter: number;
}

function post(url: string, agent: Agent, body: Uint8Array): Promise<Answered> {
  return new Promise((resolve) => {
    const broken = (): void => resolve({ status: 0, bytes: 0, retryAfter: 0 });
    const headers = { 'Content-Length': body.length };
    const sending = request(url, { method: 'POST', agent, headers }, (response) => {
      let bytes = 0;
      response.on('data', (part: Buffer) => {
        bytes += part.length;
      });
      response.on('error', broken);
      response.on('end', () => {
        const retryAfter = Number(response.headers['retry-after'] ?? 0);
        resolve({ status: response.statusCode ?? 0, bytes, retryAfter });
      });
    });
    sending.on('error', broken);
    sending.end(body);
  });
}

const port = parentPort;
if (port !== null) port.postMessage(await load(workerData as LoadOrder));
