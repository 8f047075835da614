import { LedgerError, messageOf } from '../core/errors.ts';
import { JsonField } from './json/field.ts';
import { timeLimit } from './time-limit.ts';

/** The `fetch` of browsers and of Node.js. */
export type Fetch = typeof fetch;

/** Limits of a connection to a node's RPC. */
export interface JsonRpcOptions {
  /** `http://` or `https://`. */
  readonly url: string;
  /** How long one call may take. */
  readonly timeoutMs: number;
  /** Longest answer that is read. */
  readonly responseBytesMax: number;
  /** Default: the one of the platform. */
  readonly fetch?: Fetch;
}

/** An error that the node answered with, in JSON-RPC's terms. */
export class JsonRpcError extends LedgerError {
  readonly rpc: { readonly code: number; readonly message: string; readonly data: string };

  constructor(url: string, rpc: JsonRpcError['rpc']) {
    const text = [rpc.message, rpc.data].filter((part) => part !== '').join(': ');
    super('light.rpc', `${url} answered: ${text}`, { code: rpc.code });
    this.name = 'JsonRpcError';
    this.rpc = rpc;
  }
}

/**
 * Calls methods of a CometBFT RPC over POST.
 *
 * Every call throws JsonRpcError when the node answers with an error, LedgerError `light.unreachable` when it
 * does not answer in time, and `light.malformed` when its answer is not JSON-RPC or too long.
 */
export class JsonRpc {
  readonly url: string;
  readonly #options: JsonRpcOptions;
  #nextId = 1;

  constructor(options: JsonRpcOptions) {
    this.url = options.url;
    this.#options = options;
  }

  /** The result of a method; 64-bit parameters are text. */
  async call(
    method: string,
    params: Readonly<Record<string, unknown>>,
    signal?: AbortSignal,
  ): Promise<JsonField> {
    const id = this.#nextId++;
    const text = await this.#post(JSON.stringify({ jsonrpc: '2.0', id, method, params }), signal);
    let body: unknown;
    try {
      body = JSON.parse(text);
    } catch (cause) {
      throw this.#malformed('its answer is not JSON', cause);
    }
    const answer = new JsonField(body, method);
    try {
      const error = answer.at('error');
      if (!error.isEmpty) throw new JsonRpcError(this.url, rpcErrorOf(error));
      if (answer.at('id').value !== id) throw this.#malformed('its answer is to another request');
    } catch (error) {
      if (error instanceof LedgerError && error.code === 'decode')
        throw this.#malformed('its answer is not JSON-RPC', error);
      throw error;
    }
    return new JsonField(answer.at('result').value, method);
  }

  async #post(body: string, signal: AbortSignal | undefined): Promise<string> {
    const { url, timeoutMs, fetch: post = fetch } = this.#options;
    const limit = timeLimit(timeoutMs, signal);
    try {
      const response = await post(url, {
        method: 'POST',
        body,
        headers: { 'Content-Type': 'application/json' },
        signal: limit.signal,
        // A node has no reason to send us elsewhere.
        redirect: 'error',
      });
      return await this.#read(response);
    } catch (error) {
      if (error instanceof LedgerError) throw error;
      const why = limit.isOver() ? `no answer within ${timeoutMs} ms` : reasonOf(error);
      throw new LedgerError('light.unreachable', `cannot reach ${url}: ${why}`, {}, error);
    } finally {
      limit.end();
    }
  }

  async #read(response: Response): Promise<string> {
    const { responseBytesMax } = this.#options;
    const decoder = new TextDecoder();
    let text = '';
    let bytes = 0;
    // Not `for await`: browsers do not all iterate over streams.
    const reader = response.body?.getReader();
    for (;;) {
      const { value: chunk } = (await reader?.read()) ?? {};
      if (chunk === undefined) break;
      bytes += chunk.length;
      if (bytes > responseBytesMax) {
        await reader?.cancel();
        throw this.#malformed(`its answer is longer than ${responseBytesMax} bytes`);
      }
      text += decoder.decode(chunk, { stream: true });
    }
    // A gateway in front of the node that cannot reach it speaks HTML.
    if (response.status >= 502 && response.status <= 504)
      throw new LedgerError('light.unreachable', `cannot reach ${this.url}: HTTP ${response.status}`);
    return text + decoder.decode();
  }

  #malformed(why: string, cause?: unknown): LedgerError {
    return new LedgerError('light.malformed', `${this.url} does not answer like a node: ${why}`, {}, cause);
  }
}

function rpcErrorOf(error: JsonField): JsonRpcError['rpc'] {
  const data = error.at('data');
  return {
    code: error.at('code').int32(),
    message: error.at('message').string(),
    // CometBFT's are text; what else there is may nest deeper than the stack.
    data: data.isEmpty ? '' : typeof data.value === 'string' ? data.value : data.shown(),
  };
}

function reasonOf(error: unknown): string {
  const { cause } = error instanceof Error ? error : { cause: undefined };
  return cause === undefined ? messageOf(error) : `${messageOf(error)}: ${messageOf(cause)}`;
}
