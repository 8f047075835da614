/** The shards that a server holds: by their ids, and the contents that they hold by their roots. */
import { toHex } from '../../core/bytes.ts';
import { LedgerError } from '../../core/errors.ts';
import { shardId } from '../../modules/attribution/proof/shard/commitment.ts';
import { detokenise } from '../../modules/attribution/proof/tokenise.ts';
import type { ShardArrays, ShardReader } from '../shard.ts';
import type { LateBody } from '../../serve/reply.ts';

/** A shard that is served. */
export interface ServedShard {
  /** Its id in hexadecimal: proof/shard/commitment.ts. */
  readonly key: string;
  readonly reader: ShardReader;
}

interface ContentPlace {
  readonly reader: ShardReader;
  readonly document: number;
}

/** Holds shards by id. Ids of tokens are their bytes, so an index holds the texts and nothing else has to. */
export class ShardLibrary {
  readonly #shards = new Map<string, ServedShard>();
  readonly #contents = new Map<string, ContentPlace>();

  constructor(readers: readonly ShardReader[] = []) {
    for (const reader of readers) this.add(reader);
  }

  /** From now on this shard is served too. */
  add(reader: ShardReader): void {
    const shard = { key: toHex(shardId(reader.commitment)), reader };
    this.#shards.set(shard.key, shard);
    // Texts of salted shards are private. Another shard may hold the same text openly.
    if (reader.commitment.salted) return;
    for (let document = 0; document < reader.documents; document++) {
      const { root, tombstone } = reader.document(document);
      if (!tombstone) this.#contents.set(toHex(root), { reader, document });
    }
  }

  /** In the order in which they were given. */
  list(): readonly ServedShard[] {
    return [...this.#shards.values()];
  }

  find(key: string): ServedShard | undefined {
    return this.#shards.get(key);
  }

  /** The content with a root; undefined when no shard holds it, or only a salted one, whose texts are private. */
  content(rootHex: string): LateBody | undefined {
    const place = this.#contents.get(rootHex);
    if (place === undefined) return undefined;
    const { reader, document } = place;
    return { bytes: reader.document(document).byteLength, make: () => contentOf(reader, document) };
  }
}

/** The content of a document, from its tokens. Empty for a tombstone. */
export function contentOf(shard: ShardArrays, index: number): Uint8Array {
  const { firstToken, tokens } = shard.document(index);
  const ids = new Uint32Array(tokens - 1);
  for (let i = 0; i < ids.length; i++) ids[i] = shard.token(firstToken + i);
  return detokenise(ids);
}

/** @throws LedgerError `attest.no_shard` */
export function requireShard(library: ShardLibrary, key: string): ServedShard {
  const found = library.find(key);
  if (found !== undefined) return found;
  throw new LedgerError(
    'attest.no_shard',
    `no shard ${key.slice(0, 64)} is served here; /v1/shards lists them`,
  );
}
