/** What a publisher serves over HTTP (`attest/serve/routes.ts`), in bounds: it may be an enemy. */
import { toHex } from '../../core/bytes.ts';
import { HASH_BYTES } from '../../core/hash.ts';
import { LEAF_TOKENS, type ShardTree } from '../../modules/attribution/proof/kinds.ts';
import { SHOWN_LEAF_BYTES_MAX } from '../../modules/attribution/proof/shard/fraud-format.ts';
import { LEAF_BYTES_MAX, SALT_BYTES } from '../../modules/attribution/proof/shard/leaves.ts';
import { splitHashes } from '../../modules/attribution/proof/tree.ts';
import { ask, type Asker, type AskLimits, systemTimers, type Timers } from '../../watch/asking.ts';
import { bodyOf, httpBase } from '../../watch/http-body.ts';
import type { AskInTime } from '../../watch/patience.ts';
import type { InfluenceSource, PieceRange, Publisher, Publishers } from './ports.ts';

/** Enough for 1024 leaves over a slow line. */
export const FETCH_LIMITS: AskLimits = { timeMs: 30_000, retries: 1 };

/** Longest leaves of each tree: `proof/shard/leaves.ts`. */
const LEAF_BYTES: Readonly<Record<ShardTree, number>> = {
  text: 1 + SALT_BYTES + 8 + 4 * LEAF_TOKENS,
  suffix: LEAF_BYTES_MAX,
  inverse: 1 + SALT_BYTES + 4 * LEAF_TOKENS,
  documents: 1 + SALT_BYTES + 10 + 255 + HASH_BYTES + 16,
};

/** Opens endpoints. One that is no http or https URI serves nothing. */
export function httpPublishers(limits: AskLimits, timers: Timers = systemTimers): Publishers {
  return (endpoint, signal = new AbortController().signal) =>
    new HttpPublisher(endpoint, { limits, timers, signal });
}

/** A publisher that is asked in its time. */
export function guardedPublisher(ask: AskInTime<Publisher>): Publisher {
  return {
    content: (...about) => ask((asked) => asked.content(...about)),
    leaves: (...about) => ask((asked) => asked.leaves(...about)),
    nodes: (...about) => ask((asked) => asked.nodes(...about)),
    influenceLeaves: (...about) => ask((asked) => asked.influenceLeaves(...about)),
  };
}

class HttpPublisher implements Publisher {
  readonly #base: string | undefined;
  readonly #asker: Asker;

  constructor(endpoint: string, asker: Asker) {
    this.#base = httpBase(endpoint);
    this.#asker = asker;
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
    // Room for one that is longer than any right one, which convicts; who has more is asked on the chain.
    const bytes = await this.#get(path, count * (4 + LEAF_BYTES[tree]) + SHOWN_LEAF_BYTES_MAX);
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
    return splitHashes(bytes);
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
    const read = async (response: Response): Promise<Uint8Array | undefined> => {
      if (response.status === 200) return await bodyOf(response, bytesMax);
      await response.body?.cancel();
      return undefined;
    };
    try {
      return await ask({ url: `${this.#base}/v1/${path}`, redirect: 'error', read }, this.#asker);
    } catch {
      // Whoever does not answer serves nothing: the caller asks others, or the chain.
      return undefined;
    }
  }
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
