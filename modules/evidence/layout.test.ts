/** The bytes of the store and the JSON of the genesis, held against those of the SDK: see test/vectors/evidence. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex, utf8 } from '../../core/bytes.ts';
import { AddressCodec } from '../../framework/address.ts';
import { JsonReader, type JsonValue } from '../../framework/json.ts';
import { memoryContext } from '../../framework/testing/memory.ts';
import { Equivocation } from '../../proto/gen/cosmos/evidence/v1beta1/evidence.ts';
import { evidenceGenesis } from './genesis.ts';
import { evidenceHash, evidenceState } from './state.ts';

const vectors: {
  readonly pairs: readonly (readonly [string, string])[];
  readonly genesis: JsonValue;
} = JSON.parse(readFileSync(new URL('../../test/vectors/evidence/layout.json', import.meta.url), 'utf8'));

const codec = new AddressCodec('openvalcons');
const textOf = (first: number): string => codec.toText(Uint8Array.from({ length: 20 }, (_, i) => first + i));
const MAX = (1n << 63n) - 1n;
const second = { height: 7n, power: 100n, consensusAddress: textOf(1) };
const CONVICTED: readonly Equivocation[] = [
  { ...second, time: { seconds: 1_700_000_009n, nanos: 5 } },
  { ...second, time: { seconds: 1_700_000_009n, nanos: 0 } },
  { height: 1n, time: { seconds: 0n, nanos: 0 }, power: 0n, consensusAddress: textOf(2) },
  {
    height: MAX,
    time: { seconds: 253_402_300_799n, nanos: 999_999_999 },
    power: MAX,
    consensusAddress: textOf(3),
  },
  { height: 5n, time: { seconds: -62_135_596_800n, nanos: 0 }, power: 3n, consensusAddress: textOf(4) },
];

describe('the store of evidence', () => {
  const state = evidenceState();

  function pairsOf(context: ReturnType<typeof memoryContext>): readonly (readonly [string, string])[] {
    return [...context.store('evidence').iterate({})].map(([key, value]) => [toHex(key), toHex(value)]);
  }

  it('is that of the SDK, byte for byte, and so is its export', () => {
    const context = memoryContext(['evidence']);
    for (const value of CONVICTED) {
      const any = { typeUrl: Equivocation.typeUrl, value: Equivocation.encode(value) };
      state.evidence.set(context, evidenceHash(any), any);
    }
    expect(pairsOf(context)).toEqual(vectors.pairs);
    expect(evidenceGenesis(state).export(context)).toEqual(vectors.genesis);
  });

  it('gives back what the SDK has written', () => {
    const context = memoryContext(['evidence']);
    for (const [key, value] of vectors.pairs) context.store('evidence').set(fromHex(key), fromHex(value));
    const read = [...state.evidence.iterate(context)].map(([, { value }]) => Equivocation.decode(value));
    expect(read).toHaveLength(CONVICTED.length);
    expect(read).toEqual(expect.arrayContaining([...CONVICTED]));
  });

  it('begins with a genesis of the SDK, but for what the SDK refuses in one, too', () => {
    const { evidence } = Object(vectors.genesis);
    const fine = [textOf(1), textOf(3)];
    const good = evidence.filter((entry: object) => fine.includes(Object(entry)['consensus_address']));
    const context = memoryContext(['evidence']);
    evidenceGenesis(state).init(context, new JsonReader({ evidence: good }, 'evidence'));
    const kept = vectors.pairs.filter(([, value]) => fine.some((text) => value.includes(toHex(utf8(text)))));
    expect(kept).toHaveLength(3);
    expect(pairsOf(context)).toEqual(kept);
    expect(() => evidenceGenesis(state).validate(new JsonReader({ evidence }, 'e'))).toThrow(
      'invalid equivocation time',
    );
  });
});
