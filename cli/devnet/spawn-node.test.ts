import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { NodeProcess } from './node-process.ts';
import { NodesAhead, spawnNode } from './spawn-node.ts';

let home = '';
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'openledgerd-ahead-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const spawned: ChildProcess[] = [];
const ahead = new NodesAhead((...options) => {
  const child = spawnNode(...options);
  spawned.push(child);
  return child;
});

it('a node that was started ahead goes on when it is told to', async () => {
  ahead.spawn([home]);
  const child = ahead.take(home);
  expect(child).toBe(spawned.at(-1));
  expect(ahead.take(home)).toBeUndefined();
  const exits: string[] = [];
  const listener = { block: () => undefined, exited: (_: string, how: string) => void exits.push(how) };
  const node = new NodeProcess({ moniker: 'node0', home, ahead: child }, listener);
  // Nothing is in this home: it has looked there, after all.
  await expect(node.ready()).rejects.toThrow(`node0 did not start: there is no node in ${home}`);
  await node.stop();
  expect(exits).toEqual(['exit code 1']);
});

it('a node that nobody takes ends, and is not given away', async () => {
  ahead.spawn([home]);
  const ended = once(spawned.at(-1) ?? expect.fail(), 'exit');
  ahead.close();
  expect(ahead.take(home)).toBeUndefined();
  expect(await ended).toEqual([null, 'SIGTERM']);
});

it('a node that ended before it was needed is not given away', async () => {
  ahead.spawn([home]);
  const ended = once(spawned.at(-1) ?? expect.fail(), 'exit');
  spawned.at(-1)?.kill('SIGKILL');
  await ended;
  expect(ahead.take(home)).toBeUndefined();
});

it('without a supervisor it ends', async () => {
  ahead.spawn([home]);
  const child = spawned.at(-1);
  const ended = once(child ?? expect.fail(), 'exit');
  child?.disconnect();
  expect(await ended).toEqual([0, null]);
  ahead.close();
});
