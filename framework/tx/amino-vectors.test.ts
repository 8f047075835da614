import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AminoTypes, createDefaultAminoConverters, defaultRegistryTypes } from '@cosmjs/stargate';
import { Registry } from '@cosmjs/proto-signing';
import { describe, expect, test } from 'vitest';
import { fromHex } from '../../core/bytes.ts';
import { messageTypes } from '../../test/support/message-types.ts';
import { AnyTypes } from '../any-types.ts';
import { canonicalJson, type JsonValue, parseJson } from '../json.ts';
import { messageToAmino } from './amino-json.ts';

interface Vector {
  readonly type: string;
  readonly case: string;
  readonly bytes: string;
  readonly amino: string;
}

const path = join(import.meta.dirname, '..', '..', 'test', 'vectors', 'amino-json', 'messages.json');
const vectors: readonly Vector[] = JSON.parse(readFileSync(path, 'utf8'));
const types = await messageTypes();
const anyTypes = new AnyTypes([...types.values()].map((type) => ({ type })));

function ours(vector: Vector): JsonValue {
  const type = types.get(vector.type);
  if (type === undefined) throw new RangeError(`there is no type ${vector.type}`);
  const message = type.decode(fromHex(vector.bytes), { unknown: 'reject' });
  const value = messageToAmino(type, message, anyTypes);
  const name = type.options['amino.name'];
  return name === undefined ? value : { type: name, value };
}

describe('amino JSON, against x/tx', () => {
  test.each(vectors.map((vector) => [`${vector.type}, ${vector.case}`, vector] as const))(
    '%s',
    (_, vector) => {
      expect(canonicalJson(ours(vector))).toBe(canonicalJson(parseJson(vector.amino)));
    },
  );

  test('covers every message of the modules', () => {
    const covered = new Set(vectors.map(({ type }) => type));
    const missing = [...types.keys()].filter(
      (name) =>
        /^cosmos\.(?!base\.).*\.Msg[A-Z][A-Za-z]*$/.test(name) &&
        !name.endsWith('Response') &&
        !covered.has(name),
    );
    expect(missing).toEqual([]);
  });
});

/** CosmJS names it `MsgWithdrawValidatorCommission`; the SDK's name, which a chain checks, is shorter. */
const COSMJS_DIFFERS: ReadonlySet<string> = new Set([
  'cosmos.distribution.v1beta1.MsgWithdrawValidatorCommission, filled',
]);

/** Contents of proposals that CosmJS has no converter for. */
const NOT_OF_COSMJS: ReadonlySet<string> = new Set(
  ['distribution.v1beta1.CommunityPoolSpendProposal', 'upgrade.v1beta1.SoftwareUpgradeProposal'].map(
    (content) => `cosmos.gov.v1beta1.MsgSubmitProposal, with cosmos.${content}`,
  ),
);

describe('amino JSON, against the converters of CosmJS', () => {
  const converters = createDefaultAminoConverters();
  const aminoTypes = new AminoTypes(converters);
  const registry = new Registry(defaultRegistryTypes);
  const filled = vectors.filter(
    ({ type, case: name }) => name !== 'default' && converters[`/${type}`] !== undefined,
  );

  test('there are such', () => expect(filled.length).toBeGreaterThan(15));

  test.each(filled.map((vector) => [`${vector.type}, ${vector.case}`, vector] as const))(
    '%s',
    (name, vector) => {
      const typeUrl = `/${vector.type}`;
      const message = registry.decode({ typeUrl, value: fromHex(vector.bytes) });
      let theirs: JsonValue;
      try {
        theirs = aminoTypes.toAmino({ typeUrl, value: message }) as unknown as JsonValue;
      } catch (error) {
        expect(NOT_OF_COSMJS.has(name), `${error}`).toBe(true);
        return;
      }
      if (COSMJS_DIFFERS.has(name)) return;
      expect(canonicalJson(ours(vector))).toBe(canonicalJson(JSON.parse(JSON.stringify(theirs))));
    },
  );
});
