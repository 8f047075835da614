import type { Target } from '../target.ts';
import { isDecodeError } from './vectors.ts';

const KIB = 1024;

/** A decoder of protobuf that throws nothing but DecodeError, and the encoder that goes with it. */
export function protobufTarget<T>(
  name: string,
  seeds: readonly Uint8Array[],
  codec: { readonly decode: (bytes: Uint8Array) => T; readonly encode?: (value: T) => Uint8Array },
  more: Partial<Target> = {},
): Target {
  return {
    name,
    form: 'protobuf',
    seeds,
    bytesMax: 64 * KIB,
    read: (bytes) => {
      const value = codec.decode(bytes);
      const { encode } = codec;
      return encode === undefined ? undefined : () => encode(value);
    },
    documented: isDecodeError,
    ...more,
  };
}
