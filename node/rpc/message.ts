/** JSON-RPC 2.0 messages: reading requests, writing answers. */
import { invalidRequest, parseError, type RpcError } from './errors.ts';
import { RawJson } from './json/raw.ts';
import type { MethodResult } from './method.ts';

/** A request that expects an answer. */
export interface RpcRequest {
  /** The id as JSON text, as it goes back. */
  readonly id: string;
  readonly method: string;
  readonly params: unknown;
}

/** What a body holds. Notifications are dropped: they must not be answered. */
export interface RpcRequests {
  readonly requests: readonly RpcRequest[];
}

/** What a URI call is answered under. */
export const URI_ID = '-1';
/** The id of an answer to what could not be read; such answers have no id member at all, as CometBFT's. */
export const NO_ID = '';

/** Bounds of what is read. */
export interface RequestLimits {
  readonly jsonDepthMax: number;
  /** 0: no limit. */
  readonly batchMax: number;
}

/**
 * Reads the text of a request or of a batch.
 * @throws RpcError parse error or invalid request
 */
export function readRequests(text: string, limits: RequestLimits): RpcRequests {
  if (isTooDeep(text, limits.jsonDepthMax)) {
    throw parseError(`error unmarshaling request: exceeded max depth ${limits.jsonDepthMax}`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw parseError(`error unmarshaling request: ${error instanceof Error ? error.message : ''}`);
  }
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (limits.batchMax > 0 && list.length > limits.batchMax) {
    throw invalidRequest(`batch request exceeds maximum (${limits.batchMax}) allowed number of requests`);
  }
  const requests: RpcRequest[] = [];
  for (const item of list) {
    const request = readRequest(item);
    if (request !== undefined) requests.push(request);
  }
  return { requests };
}

function readRequest(value: unknown): RpcRequest | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw parseError('error unmarshaling request: a request is a JSON object');
  }
  const { id, method, params }: { id?: unknown; method?: unknown; params?: unknown } = value;
  if (id === undefined || id === null) return undefined;
  if (method !== undefined && typeof method !== 'string') {
    throw parseError('error unmarshaling request: method is not a string');
  }
  return { id: idText(id), method: method ?? '', params };
}

function idText(id: unknown): string {
  if (typeof id === 'string') return JSON.stringify(id);
  if (typeof id === 'number' && Number.isSafeInteger(Math.trunc(id))) return Math.trunc(id).toString();
  const kind = Array.isArray(id) ? 'array' : typeof id;
  throw parseError(`error unmarshaling request: json-rpc ID is of unknown type (${kind})`);
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * True when arrays and objects nest deeper than `max`. One pass over the text, before the parser recurses
 * into it.
 */
function isTooDeep(text: string, max: number): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = text.indexOf('"', at + 1);
      while (at > 0 && isEscaped(text, at)) at = text.indexOf('"', at + 1);
      if (at < 0) return false;
    } else if (code === 0x5b || code === 0x7b) {
      if (++depth > max) return true;
    } else if (code === 0x5d || code === 0x7d) {
      depth--;
    }
  }
  return false;
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0;
  while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes++;
  return backslashes % 2 === 1;
}

/** An answer whose result is JSON text already. */
export function resultText(id: string, result: string): string {
  return `{"jsonrpc":"2.0","id":${id},"result":${result}}`;
}

/** A good answer. */
export function successText(id: string, result: MethodResult): string {
  return resultText(id, result instanceof RawJson ? result.text : JSON.stringify(result));
}

/** An answer that is an error. */
export function errorText(id: string, error: RpcError): string {
  const { code, message, data } = error;
  const body = JSON.stringify(data === '' ? { code, message } : { code, message, data });
  return id === NO_ID ? `{"jsonrpc":"2.0","error":${body}}` : `{"jsonrpc":"2.0","id":${id},"error":${body}}`;
}
