/** Answers of the server, and which status an error has. */
import { LedgerError, messageOf } from '../core/errors.ts';
import type { StreamBody } from './stream-body.ts';

/** A body that is made when it is known that it may be sent: to make it costs as much as to hold it. */
export interface LateBody {
  readonly bytes: number;
  make(): Uint8Array;
}

/** An answer before it is written. */
export interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: string | Uint8Array | LateBody | StreamBody;
  /** Seconds after which to come again. */
  readonly retryAfter?: number;
  /** Named by its hash: may be kept for ever. */
  readonly isImmutable?: boolean;
}

const JSON_TYPE = 'application/json';
const BYTES_TYPE = 'application/octet-stream';

/** An object; 64-bit numbers become decimal texts. */
export function json(value: unknown, status = 200): Reply {
  const body = JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'bigint' ? part.toString() : part,
  );
  return { status, type: JSON_TYPE, body: `${body}\n` };
}

/** Bytes that are named by their hash. */
export function immutableBytes(body: Uint8Array | LateBody): Reply {
  return { status: 200, type: BYTES_TYPE, body, isImmutable: true };
}

/** A request that cannot be answered, for whoever sent it. */
export function badRequest(message: string): LedgerError {
  return new LedgerError('serve.request', message);
}

/** Errors of a server: under which name they are told, and which are not mistakes of ours. */
export interface ServerErrors {
  /** What codes of errors begin with: `attest`. */
  readonly codespace: string;
  /** Statuses of the codes of its routes; all others are mistakes of ours. */
  readonly statuses: Readonly<Record<string, number>>;
}

/** Of the server itself, whatever its routes say. */
const STATUSES: Readonly<Record<string, number>> = {
  'serve.request': 400,
  'serve.body': 413,
  'serve.no_route': 404,
  'serve.busy': 503,
  'serve.timeout': 504,
};

/**
 * The answer for an error, its code in the server's codespace. What is our own mistake is 500, and its sentence
 * is for the log unless it has a status.
 */
export function errorReply(error: unknown, { codespace, statuses }: ServerErrors): Reply {
  const code = error instanceof LedgerError ? error.code : `${codespace}.internal`;
  const known = STATUSES[code] ?? statuses[code];
  const told = known === undefined ? code : code.replace(/^[^.]+/, codespace);
  const message = known === undefined ? 'the server made a mistake; its log says which' : messageOf(error);
  const status = known ?? 500;
  const reply = json({ error: { code: told, message } }, status);
  return status === 503 || status === 429 ? { ...reply, retryAfter: 1 } : reply;
}
