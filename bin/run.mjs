#!/usr/bin/env node
// The way every npm script starts. It runs under whatever Node.js the machine has (>= 20), installs what the
// lock file names and node_modules lacks, and hands over to the Node.js 24 that the project pins through the
// npm package `node`. TypeScript then runs directly, without a build step.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const pinnedNode = join(
  root,
  'node_modules',
  'node',
  'bin',
  process.platform === 'win32' ? 'node.exe' : 'node',
);
const stampFile = join(root, 'node_modules', '.openledgerd-installed');

/** Digest of the lock file: node_modules is current when its stamp equals it. */
function lockDigest() {
  return createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
}

function ensureInstalled() {
  const digest = lockDigest();
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === digest && existsSync(pinnedNode)) return;
  if (!existsSync(stampFile) && existsSync(pinnedNode) && isInstalled()) {
    // Whoever cloned has called `npm ci` already.
    writeFileSync(stampFile, digest);
    fillCompileCache();
    return;
  }
  process.stderr.write('openledgerd: installing dependencies (npm ci)…\n');
  // On Windows npm is a .cmd file, which Node.js starts only through a shell.
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  // With NODE_ENV=production npm would leave out what checks and tests need, and the stamp would say that all is there.
  const result = spawnSync(npm, ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (result.status !== 0) {
    fail(
      `npm ci failed (exit code ${result.status ?? 'none'}); its message is above. Is the npm registry reachable?`,
    );
  }
  if (!existsSync(pinnedNode)) {
    fail(
      'npm ci did not bring Node.js 24. Are install scripts disabled (npm config get ignore-scripts)? Allow them for the package "node".',
    );
  }
  writeFileSync(stampFile, digest);
  fillCompileCache();
}

/**
 * Whether npm's own list of node_modules has every package of the lock file in its version. Optional ones may be
 * absent: they are those of other machines.
 */
function isInstalled() {
  const listFile = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(listFile)) return false;
  const packagesOf = (file) => JSON.parse(readFileSync(file, 'utf8')).packages ?? {};
  const installed = packagesOf(listFile);
  const wanted = Object.entries(packagesOf(join(root, 'package-lock.json'))).filter(([path]) => path !== '');
  const names = new Set(wanted.map(([path]) => path));
  return (
    Object.keys(installed).every((path) => names.has(path)) &&
    wanted.every(([path, entry]) => {
      const found = installed[path];
      if (found === undefined) return isForElsewhere(entry) && !existsSync(join(root, path));
      return found.version === entry.version && found.integrity === entry.integrity;
    })
  );
}

/** Of an optional package that names no system it cannot be told: it may belong to one that names another. */
function isForElsewhere({ optional = false, devOptional = false, os, cpu, libc }) {
  const isHere = os?.includes(process.platform) && cpu?.includes(process.arch) && libc === undefined;
  return (optional || devOptional) && !isHere;
}

/**
 * Compiles what a devnet loads, once for its nodes and once for other commands, whose flags differ: the first devnet
 * of a clone would otherwise take twice the time to its first block. If that fails, so will the command, which says why.
 */
function fillCompileCache() {
  const command = [join(root, 'cli', 'main.ts'), 'compile'];
  for (const flags of [[], NODE_FLAGS])
    spawnSync(pinnedNode, [...flags, ...command], { env: childEnvironment(), stdio: 'ignore' });
}

function childEnvironment() {
  return {
    ...NODE_ENVIRONMENT,
    ...process.env,
    NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'compile'),
  };
}

function fail(message) {
  process.stderr.write(`openledgerd: ${message}\n`);
  process.exit(1);
}

/**
 * With V8's default young generation, much of what a loaded node allocates for a transaction is copied to the old one before
 * the transaction is done: numbers in docs/adr/0001. cli/devnet/node-process.ts starts nodes with the same.
 */
const NODE_FLAGS = ['--max-semi-space-size=64', '--heap-growing-percent=100'];

/**
 * The C library would give each thread a heap of its own, and what one frees the others cannot use: in a loaded node with its
 * ten threads that is 50 MB. The second flag above has V8 collect when the old generation has doubled, not quadrupled.
 */
const NODE_ENVIRONMENT = { MALLOC_ARENA_MAX: '2' };

/** Steps per script name: each is an argument list for the pinned Node.js. */
function stepsFor(name, args) {
  const binary = (packageName, path) => join(root, 'node_modules', packageName, path);
  const typescript = [binary('typescript', 'bin/tsc'), '-p', join(root, 'tsconfig.json')];
  const biome = binary('@biomejs/biome', 'bin/biome');
  switch (name) {
    case 'cli':
      return [[...(args[0] === 'start' ? NODE_FLAGS : []), join(root, 'cli', 'main.ts'), ...args]];
    case 'node':
      return [args];
    case 'check':
      return [typescript, [biome, 'check', root]];
    case 'format':
      return [[biome, 'check', '--write', root]];
    case 'test':
      // Type check and lint only for a whole run: `npm test -- path` is the quick way to one file.
      return [
        ...(args.length === 0 ? stepsFor('check', []) : []),
        [binary('vitest', 'vitest.mjs'), 'run', ...args],
      ];
    default:
      return fail(`unknown script "${name}"; see "scripts" in package.json`);
  }
}

/** npm starts us through a shell, which dies of a SIGTERM (`kill` of npm) without passing it on. */
function onParentDeath(stop) {
  if (process.env.npm_lifecycle_event === undefined) return; // of another parent we may be meant to survive
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    stop();
  }, 1_000);
  timer.unref();
}

function runStep(step) {
  return new Promise((resolve) => {
    const child = spawn(pinnedNode, step, {
      cwd: process.cwd(),
      stdio: 'inherit',
      env: {
        ...childEnvironment(),
        // So that the command notices when we are killed and cannot pass that on.
        OPENLEDGERD_LAUNCHER_PID: String(process.pid),
      },
    });
    // The terminal sends Ctrl-C to the whole group; a plain kill reaches only us, so pass it on. We wait for the child.
    const forward = (signal) => {
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, forward);
    onParentDeath(() => child.kill('SIGTERM'));
    child.on('error', (error) => fail(`cannot start ${pinnedNode}: ${error.message}`));
    child.on('exit', (code, signal) => resolve(signal === null ? (code ?? 1) : 1));
  });
}

const [name = 'cli', ...args] = process.argv.slice(2);
ensureInstalled();
for (const step of stepsFor(name, args)) {
  const code = await runStep(step);
  if (code !== 0) process.exit(code);
}
