import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';
import { launcherFile, temporaryHome } from './program.ts';

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

/** Installs nothing, and says with what it was called. */
const NPM = `#!/bin/sh
echo "npm $@" >&2
exit 3
`;

it('the launcher installs what tests need too, whatever NODE_ENV says', () => {
  const clone = temporaryHome();
  try {
    const copy = join(clone, 'bin', 'run.mjs');
    for (const folder of [dirname(copy), join(clone, 'path')]) mkdirSync(folder);
    cpSync(launcherFile, copy);
    writeFileSync(join(clone, 'package-lock.json'), '{}');
    writeFileSync(join(clone, 'path', 'npm'), NPM, { mode: 0o755 });
    const { PATH = '' } = process.env;
    const path = `${join(clone, 'path')}${delimiter}${PATH}`;
    const { status, stderr } = spawnSync(process.execPath, [copy, 'test'], {
      encoding: 'utf8',
      env: { ...process.env, PATH: path, NODE_ENV: 'production' },
    });
    expect(stderr).toMatch(/^npm ci --include=dev /m);
    expect(stderr).toMatch(/npm ci failed \(exit code 3\)/);
    expect(status).toBe(1);
  } finally {
    rmSync(clone, { recursive: true, force: true });
  }
});
