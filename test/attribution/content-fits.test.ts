import { expect, test } from 'vitest';
import { SHARD_TOKENS_MAX } from '../../modules/attribution/proof/kinds.ts';
import { DEFAULT_PARAMS, validateParams } from '../../modules/datanet/params.ts';

test('the longest content that a Datanet can take fits one shard with its separator, each byte a token', () => {
  const contentBytesMax = BigInt(SHARD_TOKENS_MAX) - 1n;
  validateParams({ ...DEFAULT_PARAMS, contentBytesMax });
  for (const more of [contentBytesMax + 1n, 1n << 30n])
    expect(() => validateParams({ ...DEFAULT_PARAMS, contentBytesMax: more })).toThrow('content_bytes_max');
});
