/** `openledgerd version` */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import type { Terminal } from './terminal.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const GIT_TIMEOUT_MS = 2_000;
const PACKAGE_VERSION = /"version":\s*"([^"]+)"/;

/** The version of this package. */
export function ownVersion(): string {
  return PACKAGE_VERSION.exec(readFileSync(join(root, 'package.json'), 'utf8'))?.[1] ?? 'unknown';
}

/** The git commit of the source, when it lies in a clone and git is there. */
export function ownCommit(): string | undefined {
  const git = spawnSync('git', ['-C', root, 'rev-parse', 'HEAD'], {
    encoding: 'utf8',
    timeout: GIT_TIMEOUT_MS,
  });
  return git.status === 0 ? git.stdout.trim() : undefined;
}

/** Adds the command. */
export function addVersionCommand(program: Command, terminal: Terminal): void {
  program
    .command('version')
    .description('print the version')
    .option('--long', 'with commit and runtime, as JSON')
    .action((options: { readonly long?: boolean }) => {
      if (options.long !== true) return terminal.out(`${ownVersion()}\n`);
      const facts = {
        name: 'openledgerd',
        version: ownVersion(),
        commit: ownCommit() ?? 'unknown',
        node: process.version,
        platform: `${process.platform}/${process.arch}`,
      };
      terminal.out(`${JSON.stringify(facts, undefined, 2)}\n`);
    });
}
