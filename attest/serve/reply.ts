/** Answers of the server, and which status an error has. */
import { LedgerError, messageOf } from '../../core/errors.ts';
import { BUSY } from './gate.ts';

/** A body that is made when it is known that it may be sent: to make it costs as much as to hold it. */
export interface LateBody {
  readonly bytes: number;
  make(): Uint8Array;
}

/** An answer before it is written. */
export interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: string | Uint8Array | LateBody;
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
  return new LedgerError('attest.request', message);
}

const STATUS: Readonly<Record<string, number>> = {
  'attest.request': 400,
  'attest.output_too_long': 413,
  'attest.body': 413,
  'attest.no_shard': 404,
  'attest.no_content': 404,
  'attest.no_card': 404,
  'attest.no_claim': 404,
  'attest.no_model': 404,
  'attest.no_route': 404,
  'attest.private': 403,
  'attest.method': 409,
  'attest.no_index': 409,
  'attest.chain': 502,
  'attest.share': 429,
  // As nginx has it: nobody hears it, but it is counted.
  'attest.gone': 499,
  [BUSY]: 503,
  'attest.timeout': 504,
  'attest.worker': 500,
};

/**
 * The answer for an error, its code in the server's codespace. What is our own mistake is 500, and its sentence
 * is for the log unless it has a code.
 */
export function errorReply(error: unknown, codespace = 'attest'): Reply {
  const code = error instanceof LedgerError ? error.code : 'attest.internal';
  const known = STATUS[code];
  const status = known ?? 500;
  const message = known === undefined ? 'the server made a mistake; its log says which' : messageOf(error);
  const reply = json({ error: { code: code.replace(/^attest\./, `${codespace}.`), message } }, status);
  return status === 503 || status === 429 ? { ...reply, retryAfter: 1 } : reply;
}
