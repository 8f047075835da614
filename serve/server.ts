/** HTTP around the routes: bounds, statuses, metrics. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { LedgerError, messageOf } from '../core/errors.ts';
import type { Registry } from 'prom-client';
import { Connections, type CutReason, peerKey } from './connections.ts';
import type { ServerLimits } from './limits.ts';
import { badRequest, errorReply, type Reply, type ServerErrors } from './reply.ts';
import type { Route } from './route.ts';
import { isStream, sendStream, type StreamBody } from './stream-body.ts';

const STOP_WAIT_MS = 2_000;
/** How long the rest of a refused body is read and dropped, so that its sender sees why. */
const LINGER_MS = 2_000;
/** How often requests are looked for that have not arrived in their time. */
const CHECK_MS = 1_000;

/** Where it listens. */
export interface HttpServerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly limits: ServerLimits;
  readonly errors: ServerErrors;
}

/** What a server counts, whatever it serves. */
export interface ServerMetrics {
  readonly registry: Registry;
  request(route: string, status: number, seconds: number): void;
  /** A connection was refused or closed. */
  cut(reason: CutReason): void;
  /** Has the gauge of unsent bytes read from here. */
  readUnsent(read: () => number): void;
}

/** Writes what went wrong, for people. */
export interface ServerLogger {
  warn(facts: Readonly<Record<string, unknown>>, message: string): void;
}

/** What it is made of. */
export interface HttpServerParts {
  readonly routes: readonly Route[];
  readonly metrics: ServerMetrics;
  readonly logger: ServerLogger;
}

/** An answer as it is written. */
type Written = Omit<Reply, 'body'> & { readonly body: Buffer | StreamBody };

interface Matched {
  readonly route: Route;
  readonly params: readonly string[];
}

/** Serves what its routes answer: of an attestor attributions and shards, of a gateway answers and epochs. */
export class HttpServer {
  readonly #parts: HttpServerParts;
  readonly #options: HttpServerOptions;
  readonly #server: Server;
  readonly #connections: Connections;

  constructor(parts: HttpServerParts, options: HttpServerOptions) {
    this.#parts = parts;
    this.#options = options;
    const { limits, errors } = options;
    const { requestMs, idleMs } = limits;
    this.#server = createServer({
      requestTimeout: requestMs,
      headersTimeout: requestMs,
      keepAliveTimeout: idleMs,
      connectionsCheckingInterval: Math.min(CHECK_MS, requestMs),
    });
    const { metrics } = parts;
    const onCut = (reason: CutReason): void => metrics.cut(reason);
    this.#connections = new Connections(this.#server, { limits, codespace: errors.codespace, onCut });
    metrics.readUnsent(() => this.#connections.unsentBytes);
    this.#server.on('request', (request, response) => {
      const answer = (): Promise<void> => this.#handle(request, response);
      void this.#connections.inTurn(request.socket, response, answer);
    });
  }

  /** Where it can be reached. Of meaning once it listens. */
  get url(): string {
    const { host } = this.#options;
    const address = this.#server.address();
    const port = typeof address === 'object' && address !== null ? address.port : this.#options.port;
    return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  }

  /** @throws LedgerError `listen` of its codespace when the port is taken or the address is not ours */
  async start(): Promise<void> {
    const { host, port, errors } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error) => {
        const message = `cannot listen on ${host}:${port}: ${messageOf(error)}; choose another address`;
        reject(new LedgerError(`${errors.codespace}.listen`, message, { host, port }, error));
      });
      this.#server.listen(port, host, resolve);
    });
  }

  /** Lets answers that are being made finish, for a while. */
  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    const timer = setTimeout(() => this.#server.closeAllConnections(), STOP_WAIT_MS);
    await closed;
    clearTimeout(timer);
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const begun = performance.now();
    let name = 'none';
    let reply: Written;
    try {
      const uri = uriOf(request, this.#options.limits);
      if (uri.pathname === '/metrics') {
        name = uri.pathname;
        const { registry } = this.#parts.metrics;
        reply = this.#admit(response, {
          status: 200,
          type: registry.contentType,
          body: await registry.metrics(),
        });
      } else {
        const { route, params } = this.#match(request.method ?? '', uri.pathname);
        name = route.path;
        reply = this.#admit(
          response,
          await this.#answer({ request, response }, route, { params, search: uri.searchParams }),
        );
      }
    } catch (error) {
      const refused = errorReply(error, this.#options.errors);
      if (refused.status === 500)
        this.#parts.logger.warn({ route: name, error: messageOf(error) }, 'a request was not answered');
      reply = this.#admit(response, refused);
    }
    const { body, ...head } = reply;
    if (isStream(body)) await this.#stream(response, { ...head, body });
    else write(request, response, { ...head, body });
    this.#parts.metrics.request(name, reply.status, (performance.now() - begun) / 1000);
  }

  async #stream(response: ServerResponse, reply: Reply & { readonly body: StreamBody }): Promise<void> {
    const { metrics, logger } = this.#parts;
    const headers = { 'Content-Type': reply.type, 'Cache-Control': 'no-store' };
    if (!response.destroyed) response.writeHead(reply.status, headers);
    const { sendMs } = this.#options.limits;
    try {
      await sendStream(response, reply.body, { sendMs, onStalled: () => metrics.cut('stalled') });
    } catch (error) {
      logger.warn({ error: messageOf(error) }, 'an answer broke off');
    }
  }

  /**
   * The answer with its body, which is made only now that it may be sent. Small answers are always admitted.
   * @throws LedgerError `serve.busy` when too many bytes wait to be taken
   */
  #admit(response: ServerResponse, reply: Reply): Written {
    const { socket } = response;
    const { body } = reply;
    // Of what is made while it is read no more than a part waits.
    if (isStream(body)) return { ...reply, body };
    if (socket !== null && !this.#connections.admit(socket, response, bytesIn(body)))
      throw new LedgerError('serve.busy', 'too many answers wait to be read; come again');
    return { ...reply, body: bytesOf(body) };
  }

  async #answer(
    { request, response }: { readonly request: IncomingMessage; readonly response: ServerResponse },
    route: Route,
    { params, search }: { readonly params: readonly string[]; readonly search: URLSearchParams },
  ): Promise<Reply> {
    const { bodyBytesMax, requestMs, answerMs = requestMs } = this.#options.limits;
    const body = await readBody(request, bodyBytesMax);
    const asking = new AbortController();
    const leave = (): void => asking.abort();
    response.once('close', leave);
    const asker = { peer: peerKey(request.socket.remoteAddress ?? ''), signal: asking.signal };
    try {
      return await within(answerMs, async () => route.answer({ params, search, body, asker }), abandon);
    } finally {
      response.off('close', leave);
      // After an error nobody waits for what is still under way.
      leave();
    }
  }

  #match(method: string, path: string): Matched {
    const matches = this.#parts.routes.flatMap((route): Matched[] => {
      const params = paramsOf(route.path, path);
      return params === undefined ? [] : [{ route, params }];
    });
    const wanted = method === 'HEAD' ? 'GET' : method;
    const found = matches.find(({ route }) => route.method === wanted);
    if (found !== undefined) return found;
    const others = matches.map(({ route }) => route.method).join(', ');
    if (others !== '') throw badRequest(`${path} takes ${others}, not ${method}`);
    const known = this.#parts.routes.map((route) => `${route.method} ${route.path}`).join(', ');
    throw new LedgerError('serve.no_route', `nothing is served at this path; there are ${known}`);
  }
}

function uriOf(request: IncomingMessage, { uriLengthMax }: ServerLimits): URL {
  const text = request.url ?? '/';
  if (text.length > uriLengthMax) throw badRequest(`the URI is longer than ${uriLengthMax} characters`);
  const uri = URL.parse(text, 'http://localhost');
  if (uri === null) throw badRequest('the URI cannot be read');
  return uri;
}

/** Parameters of a path by its pattern; undefined when it is another path. */
function paramsOf(pattern: string, path: string): readonly string[] | undefined {
  const wanted = pattern.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return undefined;
  const params: string[] = [];
  for (const [i, segment] of wanted.entries())
    if (segment.startsWith(':')) params.push(given[i] ?? '');
    else if (segment !== given[i]) return undefined;
  return params;
}

/** @throws LedgerError `serve.body` as soon as it is known to be too long */
async function readBody(request: IncomingMessage, most: number): Promise<Uint8Array> {
  const tooLong = new LedgerError('serve.body', `the body is longer than ${most} bytes`);
  if (Number(request.headers['content-length'] ?? 0) > most) throw tooLong;
  const parts: Buffer[] = [];
  let bytes = 0;
  return await new Promise<Uint8Array>((resolve, reject) => {
    request.on('data', (part: Buffer) => {
      bytes += part.length;
      if (bytes <= most) parts.push(part);
      else {
        parts.length = 0;
        reject(tooLong);
      }
    });
    request.on('end', () => resolve(Buffer.concat(parts)));
    request.on('error', reject);
    request.on('close', () =>
      reject(badRequest('the connection was closed before the request was complete')),
    );
  });
}

/** What is sent while it is made ends, as for a client that has left. */
async function abandon({ body }: Reply): Promise<void> {
  if (isStream(body)) await body.sendTo(async () => undefined, AbortSignal.abort());
}

/**
 * @param abandonLate called with what comes too late; what it fails with is its task's own to say
 * @throws LedgerError `serve.timeout`
 */
async function within<T>(
  timeMs: number,
  task: () => Promise<T>,
  abandonLate: (late: T) => Promise<void>,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      isOver = true;
      reject(new LedgerError('serve.timeout', `there was no answer within ${timeMs} ms; come again`));
    }, timeMs);
  });
  try {
    const asked = task();
    const late = async (answer: T): Promise<void> => (isOver ? abandonLate(answer) : undefined);
    asked.then(late).catch(() => undefined);
    return await Promise.race([asked, over]);
  } finally {
    clearTimeout(timer);
  }
}

function bytesIn(body: Exclude<Reply['body'], StreamBody>): number {
  return typeof body === 'object' && 'make' in body ? body.bytes : Buffer.byteLength(body);
}

/** Not a copy: answers are as large as contents. */
function bytesOf(body: Exclude<Reply['body'], StreamBody>): Buffer {
  if (typeof body === 'string') return Buffer.from(body);
  const made = 'make' in body ? body.make() : body;
  return Buffer.from(made.buffer, made.byteOffset, made.byteLength);
}

function write(
  request: IncomingMessage,
  response: ServerResponse,
  reply: Written & { readonly body: Buffer },
): void {
  if (response.destroyed) return;
  const { body } = reply;
  const headers: Record<string, string | number> = {
    'Content-Type': reply.type,
    'Content-Length': body.length,
  };
  if (reply.retryAfter !== undefined) headers['Retry-After'] = reply.retryAfter;
  if (reply.isImmutable === true) headers['Cache-Control'] = 'public, max-age=31536000, immutable';
  if (!request.complete) headers['Connection'] = 'close';
  response.writeHead(reply.status, headers);
  const sent = request.method === 'HEAD' ? undefined : body;
  if (request.complete) {
    response.end(sent);
    return;
  }
  // The answer leaves at once; the connection closes when its sender has written all, or after a while.
  if (sent !== undefined) response.write(sent);
  const timer = setTimeout(() => request.destroy(), LINGER_MS);
  const end = (): void => {
    clearTimeout(timer);
    response.end();
  };
  request.once('end', end).once('close', end);
  request.resume();
}
