/** A command that runs until it is stopped, and what it writes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { env, mainFile } from './program.ts';

/** `openledgerd …`, as a process. */
export class RunningCommand {
  readonly ended: Promise<number | null>;
  /** Lines of both outputs. */
  readonly lines: string[] = [];
  readonly #child: ChildProcess;
  readonly #waiting = new Set<() => void>();

  constructor(args: readonly string[]) {
    const child = spawn(process.execPath, [mainFile, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on('line', (line) => {
        this.lines.push(line);
        for (const look of this.#waiting) look();
      });
    this.ended = new Promise((resolve) => {
      child.once('close', (code) => {
        resolve(code);
        for (const look of this.#waiting) look();
      });
    });
  }

  /** The first line, now or later, in which these words are. @throws Error when it ends before */
  async line(words: string): Promise<string> {
    for (;;) {
      const found = this.lines.find((line) => line.includes(words));
      if (found !== undefined) return found;
      if (this.#child.exitCode !== null || this.#child.signalCode !== null)
        throw new Error(`ended without "${words}":\n${this.lines.join('\n')}`);
      await new Promise<void>((resolve) => {
        const look = (): void => {
          this.#waiting.delete(look);
          resolve();
        };
        this.#waiting.add(look);
      });
    }
  }

  /** Stops it as Ctrl-C does, or another way. */
  async stop(signal: NodeJS.Signals = 'SIGINT'): Promise<number | null> {
    this.#child.kill(signal);
    return await this.ended;
  }

  /** Kills it at once. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
  }
}
