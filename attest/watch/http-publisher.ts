/** What a publisher serves over HTTP (`attest/serve/routes.ts`), in bounds: it may be an enemy. */
import { toHex } from '../../core/bytes.ts';
import type { ShardTree } from '../../modules/attribution/proof/kinds.ts';
import { LEAF_BYTES_MAX } from '../../modules/attribution/proof/shard/leaves.ts';
import { HASH_BYTES } from '../../core/hash.ts';
import type { InfluenceSource, PieceRange, Publisher, Publishers } from './ports.ts';

/** Bounds of what is fetched. */
export interface FetchLimits {
  /** From the question to the last byte of the answer. */
  readonly timeMs: number;
  /** Times that a question is asked again when there is no answer. */
  readonly retries: number;
}

/** Enough for 1024 leaves over a slow line. */
export const FETCH_LIMITS: FetchLimits = { timeMs: 30_000, retries: 1 };

/** A leaf that is longer than any right one convicts; one longer than this does not. */
const LEAF_MAX = 4 * LEAF_BYTES_MAX;

/** Opens endpoints. One that is no http or https URI serves nothing. */
export function httpPublishers(limits: FetchLimits = FETCH_LIMITS): Publishers {
  return (endpoint, signal = new AbortController().signal) => new HttpPublisher(endpoint, { limits, signal });
}

class HttpPublisher implements Publisher {
  readonly #base: string | undefined;
  readonly #limits: FetchLimits;

  readonly #signal: AbortSignal;

  constructor(
    endpoint: string,
    { limits, signal }: { readonly limits: FetchLimits; readonly signal: AbortSignal },
  ) {
    const uri = URL.parse(endpoint);
    const isHttp = uri !== null && (uri.protocol === 'http:' || uri.protocol === 'https:');
    this.#base = isHttp ? `${uri.origin}${uri.pathname.replace(/\/$/, '')}` : undefined;
    this.#limits = limits;
    this.#signal = signal;
  }

  content(root: Uint8Array, byteLength: number): Promise<Uint8Array | undefined> {
    return this.#get(`contents/${toHex(root)}`, byteLength);
  }

  async leaves(
    key: string,
    tree: ShardTree,
    { from, count }: PieceRange,
  ): Promise<readonly Uint8Array[] | undefined> {
    const path = `shards/${key}/leaves/${tree}?from=${from}&count=${count}`;
    const bytes = await this.#get(path, count * (4 + LEAF_MAX));
    return bytes === undefined ? undefined : splitLeaves(bytes, count);
  }

  async nodes(
    key: string,
    tree: ShardTree,
    { from, count, level }: PieceRange & { readonly level: number },
  ): Promise<readonly Uint8Array[] | undefined> {
    const path = `shards/${key}/nodes/${tree}/${level}?from=${from}&count=${count}`;
    const bytes = await this.#get(path, count * HASH_BYTES);
    if (bytes === undefined || bytes.length % HASH_BYTES !== 0) return undefined;
    return Array.from({ length: bytes.length / HASH_BYTES }, (_, i) =>
      bytes.slice(i * HASH_BYTES, (i + 1) * HASH_BYTES),
    );
  }

  async influenceLeaves(
    { of, key, tree, node, leafBytesMax }: InfluenceSource,
    { from, count }: PieceRange,
  ): Promise<readonly Uint8Array[] | undefined> {
    const place = node === undefined ? `leaves/${tree}` : `coordinates/${node}`;
    const path = `${of}/${key}/${place}?from=${from}&count=${count}`;
    const bytes = await this.#get(path, count * (4 + leafBytesMax));
    return bytes === undefined ? undefined : splitLeaves(bytes, count);
  }

  async #get(path: string, bytesMax: number): Promise<Uint8Array | undefined> {
    if (this.#base === undefined) return undefined;
    const { retries, timeMs } = this.#limits;
    for (let attempt = 0; attempt <= retries && !this.#signal.aborted; attempt++) {
      try {
        const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(timeMs)]);
        const response = await fetch(`${this.#base}/v1/${path}`, { signal, redirect: 'error' });
        if (response.status === 200) return await bodyOf(response, bytesMax);
        await response.body?.cancel();
        if (response.status < 500) return undefined;
      } catch {
        // No answer: perhaps the next time.
      }
    }
    return undefined;
  }
}

/** The whole body; undefined when it is longer than it may be. What is held is one buffer of that length. */
async function bodyOf(response: Response, bytesMax: number): Promise<Uint8Array | undefined> {
  const body = new Uint8Array(bytesMax);
  let bytes = 0;
  for await (const part of response.body ?? []) {
    if (bytes + part.length > bytesMax) return undefined;
    body.set(part, bytes);
    bytes += part.length;
  }
  return body.subarray(0, bytes);
}

/** u32 length and bytes of each; undefined when that is not what it is. */
function splitLeaves(bytes: Uint8Array, most: number): readonly Uint8Array[] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const leaves: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (at + 4 > bytes.length || leaves.length === most) return undefined;
    const end = at + 4 + view.getUint32(at);
    if (end > bytes.length) return undefined;
    leaves.push(bytes.slice(at + 4, end));
    at = end;
  }
  return leaves;
}
