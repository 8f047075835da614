import fc from 'fast-check';
import { expect, test } from 'vitest';
import { concatBytes } from '../core/bytes.ts';
import { DecodeError } from '../core/errors.ts';
import { encodeFrame, FrameDecoder } from './frame.ts';

const LIMIT = 300;

function decodeAll(decoder: FrameDecoder): Uint8Array[] {
  const frames: Uint8Array[] = [];
  for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) frames.push(frame);
  return frames;
}

test('frames come out as they went in, however the bytes are cut', () => {
  const payloads = fc.array(fc.uint8Array({ minLength: 1, maxLength: LIMIT }), { maxLength: 12 });
  const cuts = fc.array(fc.integer({ min: 1, max: 97 }), { minLength: 1, maxLength: 50 });
  fc.assert(
    fc.property(payloads, cuts, (sent, sizes) => {
      const bytes = concatBytes(...sent.map(encodeFrame));
      const decoder = new FrameDecoder(LIMIT);
      const received: Uint8Array[] = [];
      for (let at = 0, i = 0; at < bytes.length; i++) {
        const size = sizes[i % sizes.length] ?? 1;
        decoder.push(bytes.subarray(at, at + size));
        received.push(...decodeAll(decoder));
        at += size;
      }
      expect(received.map((frame) => [...frame])).toEqual(sent.map((frame) => [...frame]));
      expect(decoder.pendingBytes).toBe(0);
    }),
  );
});

test('random bytes give frames within the limit or a DecodeError, nothing else', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 }), (chunks) => {
      const decoder = new FrameDecoder(LIMIT);
      try {
        for (const chunk of chunks) {
          decoder.push(chunk);
          for (const frame of decodeAll(decoder)) expect(frame.length).toBeLessThanOrEqual(LIMIT);
        }
      } catch (error) {
        expect(error).toBeInstanceOf(DecodeError);
      }
    }),
  );
});

test('what waits for the rest of its frame is copied: a byte keeps no packet alive', () => {
  const payload = Uint8Array.from({ length: LIMIT }, (_, i) => i + 1);
  const frame = encodeFrame(payload);
  const decoder = new FrameDecoder(LIMIT);
  decoder.push(frame.slice(0, 3));
  for (const byte of frame.subarray(3)) {
    const packet = new Uint8Array(64).fill(byte);
    decoder.push(packet.subarray(7, 8));
    packet.fill(0);
  }
  expect(decoder.next()).toEqual(payload);
});

test.each([
  ['an empty frame', [0]],
  ['a frame over the limit', [0xad, 0x02]],
  ['a length of five bytes', [0x80, 0x80, 0x80, 0x80, 0x01]],
  ['a length not in its shortest form', [0x81, 0x00]],
])('%s is refused', (_what, bytes) => {
  const decoder = new FrameDecoder(LIMIT);
  decoder.push(Uint8Array.from(bytes));
  expect(() => decoder.next()).toThrow(DecodeError);
});

test('a claimed length allocates nothing and a truncated frame is seen', () => {
  const decoder = new FrameDecoder(2 ** 27);
  decoder.push(Uint8Array.of(0xff, 0xff, 0xff, 0x3f, 1, 2, 3));
  expect(decoder.next()).toBeUndefined();
  expect(decoder.pendingBytes).toBe(4);
});
