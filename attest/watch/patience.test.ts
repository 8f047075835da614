import { expect, test } from 'vitest';
import { Patience } from './patience.ts';
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
  return { patience, open, said, tick, ask };
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
