/** JSON-RPC over POST, URI calls over GET, and the list of endpoints: one handler for node:http. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { messageOf } from '../../../core/errors.ts';
import type { RpcConfig } from '../config.ts';
import type { Answer, Dispatcher } from '../dispatcher.ts';
import { internalError, invalidParams, invalidRequest, methodNotFound } from '../errors.ts';
import { errorText, NO_ID, URI_ID } from '../message.ts';
import type { CallContext } from '../method.ts';
import { paramsFromUri } from '../params.ts';
import type { RpcLogger } from '../ports.ts';
import { BodyTooLarge, readBody } from './body.ts';
import { corsHeaders } from './cors.ts';
import { endpointsPage } from './endpoints-page.ts';
import { answerPost } from './post.ts';

const CACHE_SECONDS = 86_400;
/** How long, after the answer, the rest of a refused request is read and dropped. */
const LINGER_MS = 5_000;
const FORM = 'application/x-www-form-urlencoded';

/** What the handler is made of. */
export interface HttpOptions {
  readonly dispatcher: Dispatcher;
  readonly config: RpcConfig;
  readonly logger: RpcLogger;
}

interface Reply {
  readonly status: number;
  readonly text: string;
  readonly type?: string;
  readonly cacheable?: boolean;
  /** The rest of the request is not read: the connection cannot be used again. */
  readonly close?: boolean;
}

/** Answers requests of a node:http server. */
export class HttpHandler {
  readonly #options: HttpOptions;

  constructor(options: HttpOptions) {
    this.#options = options;
  }

  /** Answers one request; never throws. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      for (const [name, value] of corsHeaders(request, this.#options.config.corsOrigins)) {
        response.setHeader(name, value);
      }
      if (request.method === 'OPTIONS') {
        response.writeHead(204).end();
        return;
      }
      send(request, response, await this.#reply(request));
    } catch (error) {
      // The caller went away while its request was read, or our own mistake.
      this.#options.logger.debug({ error: messageOf(error) }, 'request was not answered');
      if (!response.headersSent) {
        const text = errorText(URI_ID, internalError(messageOf(error)));
        send(request, response, { status: 500, text, close: true });
      }
    }
  }

  async #reply(request: IncomingMessage): Promise<Reply> {
    const { config } = this.#options;
    const uri = request.url ?? '/';
    if (uri.length > config.uriLengthMax) {
      const error = invalidRequest(`URI is longer than ${config.uriLengthMax} characters`);
      return { status: 414, text: errorText(NO_ID, error), close: true };
    }
    const mark = uri.indexOf('?');
    const path = mark < 0 ? uri : uri.slice(0, mark);
    let body: string;
    try {
      body = await readBody(request, config.bodyBytesMax);
    } catch (error) {
      if (!(error instanceof BodyTooLarge)) throw error;
      const text = errorText(NO_ID, invalidRequest(`error reading request body: ${error.message}`));
      return { status: 400, text, close: true };
    }
    if (path !== '/')
      return await this.#uriCall(request, path.slice(1), {
        query: mark < 0 ? '' : uri.slice(mark + 1),
        body,
      });
    if (body === '') return this.#endpoints(request);
    return await this.#jsonRpc(request, body);
  }

  async #jsonRpc(request: IncomingMessage, body: string): Promise<Reply> {
    return await answerPost(this.#options, { remote: remoteOf(request), body });
  }

  async #uriCall(
    request: IncomingMessage,
    name: string,
    args: { readonly query: string; readonly body: string },
  ): Promise<Reply> {
    const { dispatcher } = this.#options;
    const method = dispatcher.find(name);
    if (method === undefined)
      return { status: 404, text: '404 page not found\n', type: 'text/plain; charset=utf-8' };
    if (method.websocketOnly) return { status: 404, text: errorText(URI_ID, methodNotFound()) };
    const search = new URLSearchParams(args.query);
    if (request.headers['content-type']?.startsWith(FORM) === true) {
      for (const [key, value] of new URLSearchParams(args.body))
        if (!search.has(key)) search.append(key, value);
    }
    const context: CallContext = { remote: remoteOf(request), connection: undefined, id: URI_ID };
    const answer: Answer = await dispatcher.call(method, context, {
      read: (schema) => paramsFromUri(schema, search),
      paramError: (message) => invalidParams(`error converting http params to arguments: ${message}`),
    });
    return { status: answer.isError ? 500 : 200, text: answer.text, cacheable: answer.cacheable };
  }

  #endpoints(request: IncomingMessage): Reply {
    const text = endpointsPage(this.#options.dispatcher.methods, request.headers.host ?? '');
    return { status: 200, text, type: 'text/html' };
  }
}

function remoteOf(request: IncomingMessage): string {
  return `${request.socket.remoteAddress ?? ''}:${request.socket.remotePort ?? 0}`;
}

function send(request: IncomingMessage, response: ServerResponse, reply: Reply): void {
  const headers: Record<string, string | number> = {
    'Content-Type': reply.type ?? 'application/json',
    'Content-Length': Buffer.byteLength(reply.text),
    'X-Server-Time': Math.floor(Date.now() / 1000),
  };
  if (reply.cacheable === true) headers['Cache-Control'] = `public, max-age=${CACHE_SECONDS}`;
  if (reply.close === true) headers['Connection'] = 'close';
  response.writeHead(reply.status, headers);
  const text = request.method === 'HEAD' ? '' : reply.text;
  if (reply.close !== true) {
    response.end(text);
    return;
  }
  // The whole answer leaves now, but the response ends, and with it the connection, only when the client has written
  // all: an end before would reset the connection, and a client that still writes would not read why.
  response.flushHeaders();
  if (text !== '') response.write(text);
  afterRequest(request, () => response.end());
}

/** Reads and drops what is left of a request, at most for the time to linger; then calls back, once. */
function afterRequest(request: IncomingMessage, done: () => void): void {
  const finish = (): void => {
    clearTimeout(timer);
    for (const event of ['end', 'close', 'error']) request.off(event, finish);
    done();
  };
  const timer = setTimeout(() => {
    finish();
    request.socket.destroySoon();
  }, LINGER_MS);
  timer.unref();
  if (request.readableEnded || request.destroyed) {
    finish();
    return;
  }
  for (const event of ['end', 'close', 'error']) request.on(event, finish);
  request.resume();
}
