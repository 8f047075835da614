import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PeerQueue, type Sent } from './peer-queue.ts';

const limits = { count: 3_000, bytes: 10_000, peerCount: 1_500, peerBytes: 6_000 };
const sent = (peer: string, entry: number, bytes = 1): Sent<number> => ({ peer, entry, bytes });

test('a peer’s entries keep their order; what is beyond its share is dropped and counted', () => {
  const queue = new PeerQueue<number>(limits);
  for (let i = 0; i < 1600; i++) expect(queue.push(sent('a', i))).toBe(i < 1500);
  expect(queue.dropped).toBe(100);
  for (let i = 0; i < 1200; i++) expect(queue.shift()?.entry).toBe(i);
  expect(queue.push(sent('a', 9999, 5_701))).toBe(false);
  expect(queue.push(sent('a', 9999, 5_700))).toBe(true);
  expect([queue.length, queue.bytes]).toEqual([301, 6_000]);
  expect(queue.drain().length).toBe(301);
  expect([queue.shift(), queue.length, queue.bytes]).toEqual([undefined, 0, 0]);
});

test('peers are served in turn', () => {
  const queue = new PeerQueue<number>(limits);
  for (let i = 0; i < 100; i++) queue.push(sent('flood', i));
  queue.push(sent('b', 1000));
  queue.push(sent('c', 2000));
  expect([1, 2, 3, 4].map(() => queue.shift()?.entry)).toEqual([0, 1000, 2000, 1]);
});

test('when all is full, the peer with most gives way to one with less, and only then', () => {
  const queue = new PeerQueue<number>(limits);
  for (let i = 0; i < 6; i++) queue.push(sent('a', i, 1_000));
  for (let i = 0; i < 4; i++) queue.push(sent('b', i, 1_000));
  expect(queue.push(sent('a', 7, 1_000))).toBe(false);
  expect(queue.push(sent('c', 0, 2_000))).toBe(true);
  const held = (peer: string): number[] =>
    queue
      .entries()
      .filter((each) => each.peer === peer)
      .map(({ entry }) => entry);
  expect([held('a'), held('b'), held('c')]).toEqual([[0, 1, 2, 3], [0, 1, 2, 3], [0]]);
  queue.remove('a');
  expect([held('a'), queue.length, queue.bytes]).toEqual([[], 5, 6_000]);
});

test('whatever is pushed and taken: bounds hold, counts are true, a peer within its fair part loses nothing', () => {
  const small = { count: 20, bytes: 200, peerCount: 12, peerBytes: 150 };
  const step = fc.record({ peer: fc.constantFrom('x', 'y', 'z'), bytes: fc.nat(60), take: fc.nat(4) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const queue = new PeerQueue<number>(small);
      let honest = 0;
      for (const [index, { peer, bytes, take }] of steps.entries()) {
        queue.push({ peer, entry: index, bytes });
        if (take === 0) queue.shift();
        const entries = queue.entries();
        expect(entries.length).toBe(queue.length);
        expect(entries.reduce((sum, each) => sum + each.bytes, 0)).toBe(queue.bytes);
        expect(queue.length <= small.count && queue.bytes <= small.bytes).toBe(true);
        for (const name of ['x', 'y', 'z'])
          expect(entries.filter((each) => each.peer === name).length).toBeLessThanOrEqual(small.peerCount);
      }
      // Four peers, so a quarter of the room is anybody's.
      while (honest < 5 && queue.push({ peer: 'honest', entry: -1, bytes: 10 })) honest++;
      expect(honest).toBe(5);
    }),
  );
});
