import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { shardInMemory } from '../prove/memory.ts';
import { naiveShard, textDocument } from '../testing/naive-shard.ts';
import { FakeChain, memoryPublisher } from './testing/fake-chain.ts';
import { watcherIn } from './testing/watch-world.ts';

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'slow-'));
});

afterEach(() => rmSync(home, { recursive: true, force: true }));

test('however many endpoints four shards have, a round takes no longer than one of them has', async () => {
  const texts = [textDocument(11, 'it was the best of times')];
  const shard = shardInMemory(naiveShard(texts), { datanetId: 1n });
  const chain = new FakeChain(texts);
  const never = () => new Promise<undefined>(() => undefined);
  const silent = { ...memoryPublisher({}), content: never, leaves: never, nodes: never };
  const publishers = Object.fromEntries(Array.from({ length: 16 }, (_, i) => [`${i}`, silent]));
  const endpoints = Object.keys(publishers);
  for (let first = 0; first < 16; first += 4) chain.publish(shard, ...endpoints.slice(first, first + 4));
  let onTick = (): void => undefined;
  const ticks = (call: () => void) => {
    onTick = call;
    return () => undefined;
  };
  const log: string[] = [];
  const watcher = watcherIn({ home, chain, log, publishers, ticks, options: { ticksMax: 30 } });
  const inRounds: number[] = [];
  for (let round = 0; round < 3; round++) {
    let isOver = false;
    const looked = watcher.lookAtPublished().then(() => {
      isOver = true;
    });
    let ticked = 0;
    for (;;) {
      for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
      if (isOver) break;
      onTick();
      ticked++;
    }
    await looked;
    inRounds.push(ticked);
  }
  // Four parts of seven ticks; then all are left alone.
  expect(inRounds).toEqual([28, 0, 0]);
  expect(log.filter((line) => line.includes('is too slow'))).toHaveLength(16);
});
