/** The bytes of the store, held against those of the SDK: see test/vectors/slashing. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../core/bytes.ts';
import { Decimal } from '../../core/decimal.ts';
import { AddressCodec } from '../../framework/address.ts';
import { memoryContext } from '../../framework/testing/memory.ts';
import { ed25519PublicKey } from '../../framework/tx/public-key.ts';
import { clearMissed, isMissed, missedBlocks, setMissed } from './bitmap.ts';
import { DEFAULT_PARAMS } from './params.ts';
import { slashingState } from './state.ts';

const vectors: readonly (readonly [string, string])[] = JSON.parse(
  readFileSync(new URL('../../test/vectors/slashing/layout.json', import.meta.url), 'utf8'),
);

const ADDRESS = Uint8Array.from({ length: 20 }, (_, i) => 1 + i);
const OTHER = new Uint8Array(20);
const MISSED = [0n, 63n, 64n, 1023n, 1024n, 2047n, 300_000n];

describe('the store of slashing', () => {
  const state = slashingState();
  const codec = new AddressCodec('openvalcons');

  function written(): ReturnType<typeof memoryContext> {
    const context = memoryContext(['slashing']);
    state.params.set(context, {
      ...DEFAULT_PARAMS,
      downtimeJailDuration: { seconds: 600n, nanos: 5 },
      slashFractionDowntime: Decimal.ZERO,
    });
    state.signingInfos.set(context, ADDRESS, {
      address: codec.toText(ADDRESS),
      startHeight: 7n,
      indexOffset: 300n,
      jailedUntil: { seconds: 1_700_000_009n, nanos: 5 },
      tombstoned: true,
      missedBlocksCounter: 3n,
    });
    state.signingInfos.set(context, OTHER, {
      address: codec.toText(OTHER),
      startHeight: 0n,
      indexOffset: 0n,
      jailedUntil: { seconds: 0n, nanos: 0 },
      tombstoned: false,
      missedBlocksCounter: 0n,
    });
    for (const index of [...MISSED, 9n])
      setMissed(state.bitmaps, context, { consensusAddress: ADDRESS, index }, true);
    setMissed(state.bitmaps, context, { consensusAddress: ADDRESS, index: 9n }, false);
    const key = ed25519PublicKey(new Uint8Array(32));
    state.publicKeys.set(context, key.address, key.any);
    return context;
  }

  it('is that of the SDK, byte for byte', () => {
    const pairs = [...written().store('slashing').iterate({})].map(([key, value]) => [
      toHex(key),
      toHex(value),
    ]);
    expect(pairs).toEqual(vectors);
  });

  it('gives back what was written', () => {
    const context = written();
    expect(missedBlocks(state.bitmaps, context, ADDRESS)).toEqual(MISSED);
    expect(isMissed(state.bitmaps, context, { consensusAddress: ADDRESS, index: 64n })).toBe(true);
    expect(isMissed(state.bitmaps, context, { consensusAddress: ADDRESS, index: 65n })).toBe(false);
    expect(isMissed(state.bitmaps, context, { consensusAddress: OTHER, index: 64n })).toBe(false);
    expect(state.params.get(context)?.downtimeJailDuration).toEqual({ seconds: 600n, nanos: 5 });
    clearMissed(state.bitmaps, context, ADDRESS);
    expect(missedBlocks(state.bitmaps, context, ADDRESS)).toEqual([]);
    expect(state.signingInfos.has(context, ADDRESS)).toBe(true);
  });
});
