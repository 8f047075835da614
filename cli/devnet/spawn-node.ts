/** Starts processes of `openledgerd start`, some of them before their home is made. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { StartMessage } from '../child-messages.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const mainFile = join(root, 'cli', 'main.ts');
/** Of the process of a node: as in bin/run.mjs, for the same reasons. */
export const NODE_FLAGS: readonly string[] = ['--max-semi-space-size=64', '--heap-growing-percent=100'];
/** As in bin/run.mjs: also when the devnet itself was not started through it. */
const ENVIRONMENT = {
  MALLOC_ARENA_MAX: '2',
  NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'compile'),
};
/** A log that has grown beyond this is started afresh. */
const LOG_BYTES_MAX = 50_000_000;

/** The log of a node of a devnet. */
export function nodeLogFile(home: string): string {
  return join(home, 'node.log');
}

/** Starts the node of a home, with an IPC channel; the folder is there. */
export function spawnNode(home: string, further: readonly string[] = []): ChildProcess {
  const logFile = nodeLogFile(home);
  const log = openSync(logFile, logIsLong(logFile) ? 'w' : 'a');
  try {
    return spawn(process.execPath, [...NODE_FLAGS, mainFile, 'start', '--home', home, ...further], {
      stdio: ['ignore', log, log, 'ipc'],
      env: { ...ENVIRONMENT, ...process.env },
      // A process group of its own: Ctrl-C reaches the supervisor only, which stops the nodes in order.
      detached: true,
    });
  } finally {
    closeSync(log);
  }
}

function logIsLong(file: string): boolean {
  return (statSync(file, { throwIfNoEntry: false })?.size ?? 0) > LOG_BYTES_MAX;
}

/**
 * Nodes that load their modules, a thousand files each, while the supervisor still makes their homes. What
 * goes wrong with one before it is needed is of no interest: it is started again as if it had not been there.
 */
export class NodesAhead {
  readonly #waiting = new Map<string, ChildProcess>();
  readonly #spawn: typeof spawnNode;

  constructor(spawn: typeof spawnNode = spawnNode) {
    this.#spawn = spawn;
  }

  /** Starts the nodes of these homes, which may be empty folders. */
  spawn(homes: readonly string[]): void {
    for (const home of homes) {
      const child = this.#spawn(home, ['--await-supervisor']);
      child.on('error', () => this.#waiting.delete(home));
      child.once('exit', () => this.#waiting.delete(home));
      this.#waiting.set(home, child);
    }
  }

  /** The process of a home, told to go on; undefined when there is none. */
  take(home: string): ChildProcess | undefined {
    const child = this.#waiting.get(home);
    this.#waiting.delete(home);
    if (child === undefined || !child.connected) return undefined;
    const start: StartMessage = { event: 'start' };
    child.send(start, () => undefined); // it ended meanwhile: whoever has taken it hears that
    return child;
  }

  /** Ends those that nobody took. */
  close(): void {
    for (const child of this.#waiting.values()) child.kill();
    this.#waiting.clear();
  }
}
