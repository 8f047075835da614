import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { defined } from '../../core/errors.ts';
import type { ModelTerms } from '../../modules/settlement/proof/chain.ts';
import { encodeReceipt, RECEIPT_BYTES } from '../../modules/settlement/proof/leaves.ts';
import { EpochCommitment } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import { randomFrom } from '../../test/attribution/fidelity/digits.ts';
import { Dice } from '../../test/settlement/epochs/dice.ts';
import { makeWorld, type World } from '../../test/settlement/epochs/world.ts';
import { type BuildOrder, type BuildReply, type BuildThread, EpochBuilder } from './build-aside.ts';
import { levelOver, openRun, type PublishedTree } from './published.ts';

/** What an epoch of a world is built from. */
function orderOf({ receipts, attributions, chain, rowsMax }: World): BuildOrder {
  const bytes = new Uint8Array(receipts.length * RECEIPT_BYTES);
  for (const [i, receipt] of receipts.entries()) bytes.set(encodeReceipt(receipt), i * RECEIPT_BYTES);
  const terms = new Map<bigint, Pick<ModelTerms, 'datanets'>>();
  for (const { modelId } of receipts)
    if (modelId > 0n) terms.set(modelId, { datanets: defined(chain.terms(modelId), 'model').datanets });
  const packed = { bytes, width: RECEIPT_BYTES, count: receipts.length };
  return { receipts: packed, attributions, terms, rowsMax };
}

/** All that a tree says. */
function contentOf({ tree, leaf, node }: PublishedTree) {
  const all = Array.from({ length: tree.leaves }, (_, index) => index);
  const levels = tree.leaves === 0 ? 0 : levelOver(tree.leaves) + 1;
  const nodes = Array.from({ length: levels }, (_, level) =>
    all.filter((index) => index * 2 ** level < tree.leaves).map((index) => node(level, index)),
  );
  return { tree, leaves: all.map((index) => leaf(index).slice()), nodes };
}

const aside = new EpochBuilder({ builtHereMax: 0 });

test('what a thread builds is the same to the last byte', async () => {
  for (const [seed, receiptsMax] of [
    [1, 40],
    [5, 700],
  ] as const) {
    const world = makeWorld(new Dice(randomFrom(seed)), { receiptsMax });
    const [here, built] = [world.epoch, await aside.build(orderOf(world))];
    expect(EpochCommitment.encode(built.commitment)).toEqual(EpochCommitment.encode(here.commitment));
    for (const tree of ['receipts', 'allocations', 'entitlements'] as const) {
      expect(contentOf(built[tree])).toEqual(contentOf(here[tree]));
      const run = { first: 0, end: Math.min(16, here[tree].tree.leaves) };
      if (run.end > 0) expect(openRun(built[tree], run)).toEqual(openRun(here[tree], run));
    }
    for (const { attribution } of world.receipts)
      expect(built.attribution(attribution)).toEqual(here.attribution(attribution));
  }
});

test('others have their turns while a thread builds', async () => {
  const order = orderOf(makeWorld(new Dice(randomFrom(2)), { receiptsMax: 400 }));
  let isOver = false;
  const built = aside.build(order).finally(() => {
    isOver = true;
  });
  let turns = 0;
  for (; !isOver; turns++) await setImmediate();
  await built;
  expect(turns).toBeGreaterThan(20);
});

test('why an epoch cannot be built is said by a thread as it is here', async () => {
  const world = makeWorld(new Dice(randomFrom(3)), { receiptsMax: 40 });
  const here = new EpochBuilder();
  const orders: ReadonlyMap<string, () => BuildOrder> = new Map([
    ['a receipt is malformed', () => withByte(orderOf(world), 0, 7)],
    ['missing model', () => ({ ...orderOf(world), terms: new Map() })],
    ['does not serve an attribution', () => ({ ...orderOf(world), attributions: new Map() })],
  ]);
  for (const [why, order] of orders) {
    const codes: unknown[] = [];
    for (const builder of [here, aside]) {
      const failed = builder.build(order()).catch((error: unknown) => error);
      await expect(failed).resolves.toMatchObject({ message: expect.stringContaining(why) });
      codes.push(((await failed) as { readonly code: unknown }).code);
    }
    expect(codes[0], why).toBe(codes[1]);
  }
});

function withByte(order: BuildOrder, at: number, byte: number): BuildOrder {
  order.receipts.bytes[at] = byte;
  return order;
}

/** A thread that says what a test wants. */
class PlayedThread implements BuildThread {
  readonly #listeners = new Map<string, (what: never) => void>();

  on(event: 'message' | 'error' | 'exit', listener: (what: never) => void): this {
    this.#listeners.set(event, listener);
    return this;
  }

  says(event: 'message' | 'error' | 'exit', what: BuildReply | Error | number): void {
    defined(this.#listeners.get(event), 'listener')(what as never);
  }
}

test('a thread that ends without an epoch says why, and the next epoch is built', async () => {
  const threads: PlayedThread[] = [];
  const startThread = (): PlayedThread => {
    threads.push(new PlayedThread());
    return defined(threads.at(-1), 'thread');
  };
  const builder = new EpochBuilder({ startThread, builtHereMax: 0 });
  const order = orderOf(makeWorld(new Dice(randomFrom(4)), { receiptsMax: 10 }));
  const outcomes = [1, 2, 3].map(() =>
    builder.build(order).then(
      ({ commitment }) => commitment.receipts.leaves,
      (error: unknown) => error,
    ),
  );
  await setImmediate();
  // One after another.
  expect(threads).toHaveLength(1);
  threads[0]?.says('error', new Error('no more memory'));
  threads[0]?.says('exit', 1);
  const code = 'gateway.build';
  expect(await outcomes[0]).toMatchObject({ code, message: expect.stringContaining('(no more memory)') });
  await setImmediate();
  expect(threads).toHaveLength(2);
  threads[1]?.says('exit', 134);
  expect(await outcomes[1]).toMatchObject({ code, message: expect.stringContaining('(exit code 134)') });
  await setImmediate();
  const tree = { leaves: { bytes: new Uint8Array(0), width: 1, count: 0 }, nodes: [] };
  const epoch = { receipts: tree, allocations: tree, entitlements: tree, rows: [] };
  threads[2]?.says('message', { kind: 'built', epoch });
  threads[2]?.says('exit', 0);
  expect(await outcomes[2]).toBe(0);
});
