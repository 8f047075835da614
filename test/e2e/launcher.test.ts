import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

/** Installs a Node.js that notes how it was called. */
const NPM_OF_NOTES = `#!/bin/sh
mkdir -p node_modules/node/bin
printf '#!/bin/sh\\necho "$@" >> calls\\n' > node_modules/node/bin/node
chmod +x node_modules/node/bin/node
`;

it('after an installation, and only then, what a devnet loads is compiled', () => {
  const clone = temporaryHome();
  try {
    const { copy, env } = makeClone(clone, NPM_OF_NOTES);
    for (let run = 0; run < 2; run++) {
      const { status, stderr } = spawnSync(process.execPath, [copy, 'cli', 'version'], {
        encoding: 'utf8',
        cwd: clone,
        env,
      });
      expect(status, stderr).toBe(0);
    }
    const main = join(clone, 'cli', 'main.ts');
    expect(readFileSync(join(clone, 'calls'), 'utf8').trim().split('\n')).toEqual([
      `${main} compile`,
      `--max-semi-space-size=64 --heap-growing-percent=100 ${main} compile`,
      `${main} version`,
      `${main} version`,
    ]);
  } finally {
    rmSync(clone, { recursive: true, force: true });
  }
});

/** What npm writes into node_modules, of a package and one that is for other machines only. */
const PACKAGES = {
  'node_modules/node': { version: '24.0.0', integrity: 'sha512-a' },
  'node_modules/of-elsewhere': { version: '1.0.0', integrity: 'sha512-b', optional: true, os: ['none'] },
};
const HERE = { version: '1.0.0', optional: true, os: [process.platform], cpu: [process.arch] };

it('what `npm ci` has installed is not installed again, unless it is of another lock file', () => {
  const here = PACKAGES['node_modules/node'];
  for (const [installed, isCurrent, more] of [
    [{ 'node_modules/node': here }, true],
    [PACKAGES, true],
    [{ 'node_modules/node': { ...here, version: '23.0.0' } }, false],
    [{ 'node_modules/node': { ...here, integrity: 'sha512-c' } }, false],
    [{ ...PACKAGES, 'node_modules/left-over': here }, false],
    [PACKAGES, false, { 'node_modules/of-here': HERE }],
    [{}, false],
  ] as const) {
    const clone = temporaryHome();
    try {
      const { copy, env } = makeClone(clone, NPM);
      spawnSync('/bin/sh', ['-c', NPM_OF_NOTES], { cwd: clone });
      const packages = { '': { version: '0.1.0' }, ...PACKAGES, ...more };
      writeFileSync(join(clone, 'package-lock.json'), JSON.stringify({ packages }));
      writeFileSync(
        join(clone, 'node_modules', '.package-lock.json'),
        JSON.stringify({ packages: installed }),
      );
      const { status, stderr } = spawnSync(process.execPath, [copy, 'cli', 'version'], {
        encoding: 'utf8',
        cwd: clone,
        env,
      });
      expect([status, stderr.includes('npm ci --include=dev')]).toEqual(isCurrent ? [0, false] : [1, true]);
      if (!isCurrent) continue;
      const calls = readFileSync(join(clone, 'calls'), 'utf8').trim().split('\n');
      expect(calls.map((call) => call.split(' ').at(-1))).toEqual(['compile', 'compile', 'version']);
    } finally {
      rmSync(clone, { recursive: true, force: true });
    }
  }
});

/** A clone that has the launcher and a lock file, and the npm that it calls. */
function makeClone(clone: string, npm: string): { copy: string; env: NodeJS.ProcessEnv } {
  const copy = join(clone, 'bin', 'run.mjs');
  for (const folder of [dirname(copy), join(clone, 'path')]) mkdirSync(folder);
  cpSync(launcherFile, copy);
  writeFileSync(join(clone, 'package-lock.json'), '{}');
  writeFileSync(join(clone, 'path', 'npm'), npm, { mode: 0o755 });
  const { PATH = '' } = process.env;
  return { copy, env: { ...process.env, PATH: `${join(clone, 'path')}${delimiter}${PATH}` } };
}

it('the launcher installs what tests need too, whatever NODE_ENV says', () => {
  const clone = temporaryHome();
  try {
    const { copy, env } = makeClone(clone, NPM);
    const { status, stderr } = spawnSync(process.execPath, [copy, 'test'], {
      encoding: 'utf8',
      env: { ...env, NODE_ENV: 'production' },
    });
    expect(stderr).toMatch(/^npm ci --include=dev /m);
    expect(stderr).toMatch(/npm ci failed \(exit code 3\)/);
    expect(status).toBe(1);
  } finally {
    rmSync(clone, { recursive: true, force: true });
  }
});
