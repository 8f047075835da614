/** Searches in an index on disk that is many times larger than the cache it is read through. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BuildEngines, buildShard } from '../../attest/index/build.ts';
import { PageCache } from '../../attest/index/page-cache.ts';
import { openShard, writeShard } from '../../attest/index/shard-directory.ts';
import type { ShardInput } from '../../attest/index/shard-input.ts';
import { rankRange } from '../../attest/query/search.ts';
import { SEPARATOR } from '../../modules/attribution/proof/tokenise.ts';
import { Random } from '../fuzz/random.ts';
import { percentile } from './percentile.ts';
import { megabytes, type Report } from './report.ts';

const CACHES: readonly number[] = [1 << 22, 1 << 26];
const PATTERNS = 2_000;
/** Searched before, not counted: the code is compiled, the top of the searches is in the cache. */
const WARM_PATTERNS = 500;
const PATTERN_TOKENS = { least: 4, more: 16 } as const;

/** Writes the index, and searches it through caches of two sizes and in memory. */
export function reportPagedSearch({ row, note }: Report, input: ShardInput, engines: BuildEngines): void {
  const folder = mkdtempSync(join(tmpdir(), 'openledgerd-bench-'));
  try {
    note('writing the index to a disk');
    const options = { datanetId: 1n, firstPosition: 0n, entriesPerLeaf: 1 };
    const name = writeShard({ parent: folder, nameOf: () => 'shard' }, (sink) =>
      buildShard(input, { ...options, sink }, engines),
    );
    for (const bytes of [...CACHES, undefined]) {
      const cache = bytes === undefined ? undefined : new PageCache({ bytes });
      const { p50, p99, missesEach } = search(join(folder, name), input.text, cache);
      const keys = {
        cache: bytes === undefined ? 'none' : `${megabytes(bytes)}MB`,
        tokens: input.text.length,
      };
      const how = cache === undefined ? 'all in memory' : `${missesEach.toFixed(1)} pages read for each`;
      row('attest/page/search', keys, `p50 ${p50.toFixed(0)} us, p99 ${p99.toFixed(0)} us; ${how}`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function search(
  directory: string,
  text: Uint32Array,
  cache: PageCache | undefined,
): { readonly p50: number; readonly p99: number; readonly missesEach: number } {
  const { shard, close } = openShard(directory, { cache });
  try {
    const random = new Random(1);
    const times: number[] = [];
    let missesBefore = 0;
    for (let i = 0; i < WARM_PATTERNS + PATTERNS; i++) {
      const pattern = patternOf(text, random);
      if (i === WARM_PATTERNS) missesBefore = cache?.stats.misses ?? 0;
      const start = performance.now();
      const { lo, hi } = rankRange(shard, pattern);
      times.push(1000 * (performance.now() - start));
      if (hi <= lo) throw new Error('a passage of the text is not found');
    }
    const counted = times.slice(WARM_PATTERNS);
    const missesEach = ((cache?.stats.misses ?? 0) - missesBefore) / PATTERNS;
    return { p50: percentile(counted, 0.5), p99: percentile(counted, 0.99), missesEach };
  } finally {
    close();
  }
}

/** Tokens that stand together in a document. */
function patternOf(text: Uint32Array, random: Random): Uint32Array {
  for (;;) {
    const from = random.below(text.length - PATTERN_TOKENS.least - PATTERN_TOKENS.more);
    const length = PATTERN_TOKENS.least + random.below(PATTERN_TOKENS.more);
    const pattern = text.slice(from, from + length);
    if (!pattern.includes(SEPARATOR)) return pattern;
  }
}
