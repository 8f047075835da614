import { expect, test } from 'vitest';
import { Patience } from '../../watch/patience.ts';
import { guardedPublisher } from './http-publisher.ts';
import { memoryPublisher } from './testing/fake-chain.ts';

/** Endpoints whose answers are given by hand, and ticks by hand. */
function world(ticksMax: number) {
  const open: { readonly endpoint: string; readonly answer: () => void; readonly signal: AbortSignal }[] = [];
  const said: string[] = [];
  let onTick = (): void => undefined;
  const patience = new Patience(
    {
      publishers: (endpoint, signal = new AbortController().signal) => ({
        ...memoryPublisher({}),
        content: () =>
          new Promise((resolve) => {
            open.push({ endpoint, signal, answer: () => resolve(Uint8Array.of(1)) });
          }),
      }),
      guarded: guardedPublisher,
      ticks: (call) => {
        onTick = call;
        return () => {
          onTick = () => undefined;
        };
      },
      onSlow: (endpoint, rounds) => void said.push(`${endpoint} ${rounds}`),
    },
    { ticksMax },
  );
  const tick = (times: number): void => {
    for (let time = 0; time < times; time++) onTick();
  };
  const ask = (endpoint: string) => patience.publisher(endpoint).content(new Uint8Array(32), 1);
  /** All that is asked about one thing: of each endpoint in turn, until it serves nothing more. */
  const askInTurn = async (endpoints: readonly string[]): Promise<number> => {
    let answers = 0;
    for (const publisher of patience.publishers(endpoints))
      while ((await publisher.content(new Uint8Array(32), 1)) !== undefined) answers++;
    return answers;
  };
  return { patience, open, said, tick, ask, askInTurn };
}

/** Lets everything go on until it waits for a tick or an answer. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}

test('all questions to one endpoint share its time; when that is over they end, and none is asked', async () => {
  const { patience, open, said, tick, ask } = world(4);
  patience.begin();
  const slow = [ask('a'), ask('a')];
  const other = ask('b');
  tick(3);
  open[2]?.answer();
  expect(await other).toEqual(Uint8Array.of(1));
  tick(1);
  expect(await Promise.all([...slow, ask('a')])).toEqual([undefined, undefined, undefined]);
  expect([open.length, said, open[0]?.signal.aborted, open[2]?.signal.aborted]).toEqual([
    3,
    ['a 2'],
    true,
    false,
  ]);
  patience.end();
});

test('an endpoint is asked four questions at a time, in their order; those that wait end with its time', async () => {
  const { patience, open, tick, ask } = world(2);
  patience.begin();
  const answers = Array.from({ length: 7 }, () => ask('a'));
  const other = ask('b');
  expect(open.map(({ endpoint }) => endpoint)).toEqual(['a', 'a', 'a', 'a', 'b']);
  open[1]?.answer();
  expect(await answers[1]).toEqual(Uint8Array.of(1));
  open[4]?.answer();
  await other;
  expect(open.map(({ endpoint }) => endpoint)).toEqual(['a', 'a', 'a', 'a', 'b', 'a']);
  tick(2);
  const ended = await Promise.all(answers);
  expect(ended.filter((answer) => answer === undefined)).toHaveLength(6);
  // Whoever answers too late sets nobody free who would be asked then.
  open[0]?.answer();
  const again = ask('b');
  open.at(-1)?.answer();
  await again;
  expect(open.filter(({ endpoint }) => endpoint === 'a')).toHaveLength(5);
});

test('who drips, each answer just in time, spends his time too', async () => {
  const { patience, open, tick, ask } = world(4);
  patience.begin();
  const answers: (Uint8Array | undefined)[] = [];
  for (let text = 0; text < 10; text++) {
    const asked = ask('a');
    tick(1);
    open[text]?.answer();
    answers.push(await asked);
  }
  expect([open.length, answers.filter((answer) => answer !== undefined).length]).toEqual([4, 3]);
});

test('a slow endpoint is left alone for 2, 4, … 64 rounds, until it is in time', async () => {
  const { patience, open, said, tick, ask } = world(1);
  const inRounds: number[] = [];
  for (let round = 1; round <= 300; round++) {
    patience.begin();
    const before = open.length;
    const asked = ask('a');
    if (open.length > before) inRounds.push(round);
    if (round < 200) tick(1);
    else open.at(-1)?.answer();
    await asked;
    patience.end();
  }
  expect(said).toEqual(['a 2', 'a 4', 'a 8', 'a 16', 'a 32', 'a 64', 'a 64', 'a 64']);
  expect(inRounds.slice(0, 9)).toEqual([1, 4, 9, 18, 35, 68, 133, 198, 263]);
});

test.each([
  ['never answer', 1_000],
  ['answer late', 28],
])('four endpoints that %s share the time of one, and are slow then', async (_, delay) => {
  const { patience, open, said, tick, askInTurn } = world(30);
  const ticksOf: number[] = [];
  for (let round = 0; round < 3; round++) {
    patience.begin();
    let isOver = false;
    const asked = askInTurn(['a', 'b', 'c', 'd']).then(() => (isOver = true));
    const since = new Map<number, number>();
    let ticks = 0;
    for (await settle(); !isOver; await settle()) {
      tick(1);
      ticks++;
      for (const [i, { answer }] of open.entries()) {
        since.set(i, (since.get(i) ?? 0) + 1);
        if (since.get(i) === delay) answer();
      }
    }
    await asked;
    patience.end();
    ticksOf.push(ticks);
  }
  expect(ticksOf).toEqual([28, 0, 0]);
  expect(said).toEqual(['a 2', 'b 2', 'c 2', 'd 2']);
});

test('who drips takes of one thing no more than his share, and of the others nothing', async () => {
  const { patience, open, said, tick, ask, askInTurn } = world(8);
  patience.begin();
  let answers: number | undefined;
  void askInTurn(['a', 'b']).then((count) => {
    answers = count;
  });
  let ticks = 0;
  for (await settle(); answers === undefined; await settle()) {
    tick(1);
    ticks++;
    open.at(-1)?.answer();
  }
  // The last question of each ended with its share.
  expect([ticks, answers, open.map(({ endpoint }) => endpoint).join('')]).toEqual([8, 6, 'aaaabbbb']);
  // Neither is slow: what else they have is asked for, as long as they have time.
  const other = ask('a');
  open.at(-1)?.answer();
  expect(await other).toEqual(Uint8Array.of(1));
  expect(said).toEqual([]);
  const last = ask('a');
  tick(4);
  expect([await last, said]).toEqual([undefined, ['a 2']]);
});

test('a share that is over ends its own questions, and lets others of the same endpoint have their turns', async () => {
  const { patience, open, said, tick, ask } = world(4);
  patience.begin();
  const first = ask('a');
  open[0]?.answer();
  await first;
  const [publisher] = patience.publishers(['a', 'b']);
  const ended = Array.from({ length: 5 }, () => publisher?.content(new Uint8Array(32), 1));
  const other = ask('a');
  tick(2);
  expect(await Promise.all(ended)).toEqual(ended.map(() => undefined));
  expect(open.slice(1, 5).every(({ signal }) => signal.aborted)).toBe(true);
  expect(await publisher?.content(new Uint8Array(32), 1)).toBeUndefined();
  // Who fetches is told to stop, and does.
  for (const { answer } of open) answer();
  await settle();
  expect([open.length, open[5]?.signal.aborted]).toEqual([6, false]);
  open[5]?.answer();
  expect([await other, said]).toEqual([Uint8Array.of(1), []]);
});
