import { expect, test } from 'vitest';
import type { Asker } from '../../serve/route.ts';
import { Gate } from './gate.ts';

/** Somebody of an address, who can leave. */
function asker(peer: string): Asker & { readonly leave: () => void } {
  const asking = new AbortController();
  return { peer, signal: asking.signal, leave: () => asking.abort() };
}

/** Tasks that end when they are told to, by name, and what became of them in order. */
function tasks(gate: Gate) {
  const said: string[] = [];
  const ends = new Map<string, () => void>();
  const run = (name: string, by?: Asker, task = async (): Promise<void> => undefined): Promise<void> =>
    gate
      .run(async () => {
        said.push(name);
        await task();
        await new Promise<void>((resolve) => ends.set(name, resolve));
      }, by)
      .catch((error: { readonly code: string }) => void said.push(`${name}: ${error.code}`));
  const end = (name: string): void => ends.get(name)?.();
  return { said, run, end };
}

/** Until everything that can go on has. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('an address has its share of places, wherever its tasks are, until each is done', async () => {
  const gate = new Gate({ runningMax: 1, waitingMax: 9, perAddressMax: 2 });
  const { said, run, end } = tasks(gate);
  const aside = new Promise<void>((resolve) => setImmediate(resolve));
  const all = [
    run('a1', asker('a'), () => gate.aside(() => aside)),
    run('a2', asker('a')),
    run('a3', asker('a')),
    run('b1', asker('b')),
    run('ours'),
  ];
  await settled();
  await settled();
  expect(said).toEqual(['a3: attest.share', 'a1', 'a2']);
  end('a2');
  await settled();
  // Its share is back, and who stood aside goes on before those that have not begun.
  all.push(run('a4', asker('a')));
  end('a1');
  for (const name of ['b1', 'ours', 'a4']) {
    await settled();
    end(name);
  }
  await Promise.all(all);
  expect(said.slice(3)).toEqual(['b1', 'ours', 'a4']);
  expect([gate.running, gate.waiting]).toEqual([0, 0]);
});

test('for who has left before its turn nothing is begun, and its place is free', async () => {
  const gate = new Gate({ runningMax: 1, waitingMax: 1, perAddressMax: 2 });
  const { said, run, end } = tasks(gate);
  const one = asker('a');
  const all = [run('first', asker('a')), run('leaves', one)];
  await settled();
  all.push(run('too many', asker('b')));
  one.leave();
  await settled();
  all.push(run('next', asker('a')));
  const late = asker('b');
  late.leave();
  all.push(run('late', late));
  await settled();
  expect(said).toEqual(['first', 'too many: attest.busy', 'leaves: attest.gone', 'late: attest.gone']);
  end('first');
  await settled();
  end('next');
  await Promise.all(all);
  expect([said.at(-1), gate.running, gate.waiting]).toEqual(['next', 0, 0]);
});
