/** A node's RPC over HTTP for who must not wait without end: CosmJS's own transports have no time limit. */
import type { RpcClient } from '@cosmjs/tendermint-rpc';
import { ask, type AskLimits, systemTimers, type Timers } from '../../watch/asking.ts';
import { LedgerError } from '../../core/errors.ts';

type Request = Parameters<RpcClient['execute']>[0];
type Answer = Awaited<ReturnType<RpcClient['execute']>>;

/** Of one question: a simulation of the largest proof, or a page of transactions, takes a second or two. */
export const RPC_LIMITS: AskLimits = { timeMs: 10_000, retries: 2 };

/** JSON-RPC by POST. */
export class NodeRpc implements RpcClient {
  readonly #url: string;
  readonly #limits: AskLimits;
  readonly #timers: Timers;

  constructor(url: string, limits: AskLimits = RPC_LIMITS, timers: Timers = systemTimers) {
    this.#url = url;
    this.#limits = limits;
    this.#timers = timers;
  }

  /**
   * Questions are asked again when nobody answers; transactions are not: the first one may have arrived.
   * @throws LedgerError `watch.no_answer`; Error with the node's words
   */
  async execute(request: Request): Promise<Answer> {
    const retries = request.method.startsWith('broadcast_tx') ? 0 : this.#limits.retries;
    const asker = { limits: { ...this.#limits, retries }, timers: this.#timers };
    const reply = await ask(
      {
        url: this.#url,
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(request),
        read: readReply,
      },
      asker,
    );
    if (typeof reply === 'number')
      throw new LedgerError('attest.chain', `the node answers with HTTP status ${reply}`);
    if (reply.error !== undefined) throw new Error(JSON.stringify(reply.error));
    return { jsonrpc: '2.0', id: request.id, result: reply.result };
  }

  /** Nothing is kept open. */
  disconnect(): void {}
}

interface Reply {
  readonly result?: unknown;
  readonly error?: unknown;
}

/** The reply, or the status of one that is none. */
async function readReply(response: Response): Promise<Reply | number> {
  if (response.status !== 200) {
    await response.body?.cancel();
    return response.status;
  }
  const reply: unknown = await response.json();
  if (!isReply(reply)) throw new LedgerError('attest.chain', 'the node answers with no result and no error');
  return reply;
}

function isReply(reply: unknown): reply is Reply {
  return typeof reply === 'object' && reply !== null && ('result' in reply || 'error' in reply);
}
