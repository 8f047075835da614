import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';
import { launcherFile } from './program.ts';

/** Says its process number, and when it is asked to stop. */
const COMMAND = `
  process.on('SIGTERM', () => { console.log('asked to stop'); process.exit(0); });
  setInterval(() => undefined, 1e6);
  console.log('runs');
`;

/** Starts the launcher as npm does: from a process that a `kill` ends without passing the signal on. */
const SHELL = `
  const [launcher, command] = process.argv.slice(1);
  require('node:child_process').spawn(process.execPath, [launcher, 'node', '-e', command], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, npm_lifecycle_event: 'devnet' },
  });
`;

it('the launcher stops its command when npm, which started it, is killed', async () => {
  const shell = spawn(process.execPath, ['-e', SHELL, launcherFile, COMMAND], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said: string[] = [];
  createInterface({ input: shell.stdout }).on('line', (line) => {
    said.push(line);
    if (line === 'runs') shell.kill('SIGKILL');
  });
  // The pipe closes when all that inherited it have ended: shell, launcher and command.
  await once(shell, 'close');
  expect(said).toEqual(['runs', 'asked to stop']);
});
