/** One connection that broadcasts batches of transactions, one batch after another. */
import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { sentenceOf, systemCode } from '../../cli/failure.ts';
import { toBase64 } from '../../core/bytes.ts';

/** What a node said of the transactions of a batch. */
export interface BatchResult {
  readonly accepted: number;
  /** Log of the first one that was refused. */
  readonly refusal: string | undefined;
  readonly refused: number;
}

const LOST_CONNECTION: readonly string[] = ['ECONNRESET', 'EPIPE', 'ETIMEDOUT'];
const SEND_ATTEMPTS_MAX = 5;
const RETRY_PAUSE_MS = 200;

interface Answer {
  readonly result?: { readonly code: number; readonly log: string };
  readonly error?: { readonly message: string; readonly data?: string };
}

/** A kept-alive connection to one RPC. */
export class Lane {
  readonly #url: URL;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(rpc: string) {
    this.#url = new URL(rpc);
  }

  /** Broadcasts with `broadcast_tx_sync`: the answer comes when the mempool has judged every one. */
  async broadcast(transactions: readonly Uint8Array[]): Promise<BatchResult> {
    const batch = transactions.map((tx, id) => ({
      jsonrpc: '2.0',
      id,
      method: 'broadcast_tx_sync',
      params: { tx: toBase64(tx) },
    }));
    const answers: readonly Answer[] = JSON.parse(await this.#send(JSON.stringify(batch)));
    if (!Array.isArray(answers)) throw new Error(`the node refused a batch: ${JSON.stringify(answers)}`);
    // Known already: the batch came through before its connection was lost, and is sent for the second time.
    const refused = answers.filter(
      ({ result, error }) => result?.code !== 0 && !`${error?.data}`.includes('already exists in cache'),
    );
    const first = refused[0];
    return {
      accepted: answers.length - refused.length,
      refused: refused.length,
      refusal: first?.result?.log ?? (first && `${first.error?.message} ${first.error?.data ?? ''}`),
    };
  }

  close(): void {
    this.#agent.destroy();
  }

  /**
   * A server closes a connection that was idle for long, and a busy machine may let it time out: what was
   * just then sent is sent again, a few times.
   * @throws Error naming the node and why it was not reached
   */
  async #send(body: string): Promise<string> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#post(body);
      } catch (error) {
        const code = systemCode(error) ?? '';
        if (!LOST_CONNECTION.includes(code) || attempt === SEND_ATTEMPTS_MAX)
          throw new Error(
            `${this.#url.href} did not take a batch of ${body.length} bytes (${sentenceOf(error)}, attempt ` +
              `${attempt}); is its process still there? Its log is node.log in its home`,
            { cause: error },
          );
        await delay(RETRY_PAUSE_MS * attempt);
      }
    }
  }

  #post(body: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const outgoing = request(
        this.#url,
        {
          method: 'POST',
          agent: this.#agent,
          headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', () => resolve(Buffer.concat(chunks).toString()));
          response.on('error', reject);
        },
      );
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }
}
