import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fromHex } from '../core/bytes.ts';
import { messageTypes } from '../test/support/message-types.ts';
import { AnyTypes } from './any-types.ts';
import { JsonReader, type JsonValue } from './json.ts';
import { messageFromJson, messageToJson } from './proto-json.ts';

interface Vector {
  readonly type: string;
  readonly case: string;
  readonly bytes: string;
  readonly json: JsonValue;
}

const path = join(import.meta.dirname, '..', 'test', 'vectors', 'proto-json', 'messages.json');
const vectors: readonly Vector[] = JSON.parse(readFileSync(path, 'utf8'));
const types = await messageTypes();
const anyTypes = new AnyTypes(
  [...types.values()].map((type) => ({ type, interfaceName: interfaceOf(type.name) })),
);

/** Interfaces that the .proto files do not say, or a module declares. */
function interfaceOf(name: string): string {
  if (name.endsWith('PubKey')) return 'cosmos.crypto.PubKey';
  if (name === 'cosmos.evidence.v1beta1.Equivocation') return 'cosmos.evidence.v1beta1.Evidence';
  const declared = types.get(name)?.options['cosmos_proto.implements_interface'];
  return declared ?? 'cosmos.base.v1beta1.Msg';
}

describe('proto JSON, against codec.ProtoMarshalJSON', () => {
  test.each(vectors.map((vector) => [`${vector.type}, ${vector.case}`, vector] as const))(
    '%s',
    (_, vector) => {
      const type = types.get(vector.type);
      if (type === undefined) throw new RangeError(`there is no type ${vector.type}`);
      const message = type.decode(fromHex(vector.bytes), { unknown: 'reject' });
      expect(messageToJson(type, message, anyTypes)).toEqual(vector.json);
      const back = messageFromJson(type, new JsonReader(vector.json, ''), anyTypes);
      // A decimal that was never set is written as `0`, and read as a zero that is set.
      if (vector.case !== 'default') expect(messageToJson(type, back, anyTypes)).toEqual(vector.json);
    },
  );
});
