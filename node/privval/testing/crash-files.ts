import { dirname } from 'node:path';
import type { DurableFiles } from '../durable-file.ts';

/** A file system in memory that loses what was not made durable, and fails from a chosen step on. */
export class CrashFiles implements DurableFiles {
  readonly #durable: Map<string, Uint8Array> = new Map();
  readonly #visible: Map<string, Uint8Array> = new Map();
  /** Write, rename and sync of a directory are one step each; when none is left, each throws. */
  stepsLeft: number = Number.POSITIVE_INFINITY;
  #die: (() => void) | undefined;

  async read(path: string): Promise<Uint8Array | undefined> {
    return this.#visible.get(path);
  }

  async writeSynced(path: string, bytes: Uint8Array): Promise<void> {
    this.#visible.set(path, bytes.slice(0, bytes.length / 2)); // torn, when the power fails now
    this.#step();
    this.#visible.set(path, bytes.slice());
    this.#durable.set(path, bytes.slice());
  }

  async rename(from: string, to: string): Promise<void> {
    this.#step();
    const bytes = this.#visible.get(from);
    if (bytes === undefined) throw new Error(`no file ${from}`);
    this.#visible.set(to, bytes);
    this.#visible.delete(from);
  }

  async syncDirectory(directory: string): Promise<void> {
    this.#step();
    this.#durable.clear();
    for (const [path, bytes] of this.#visible)
      if (dirname(path) === directory) this.#durable.set(path, bytes);
    if (this.#die === undefined) return;
    this.#die();
    this.#die = undefined;
    await new Promise(() => undefined); // the process is killed here: nothing after this runs
  }

  /** The next time that a file has become durable, whoever wrote it never hears of it; resolves then. */
  dieOnceDurable(): Promise<void> {
    return new Promise((resolve) => {
      this.#die = resolve;
    });
  }

  /**
   * With `keepRenames` the process is killed: what it wrote is seen after it, but not yet safe. Without, the
   * power fails: what was not synced is gone.
   */
  crash(keepRenames: boolean): void {
    this.stepsLeft = Number.POSITIVE_INFINITY;
    this.#die = undefined;
    if (keepRenames) return;
    this.#visible.clear();
    for (const [path, bytes] of this.#durable) this.#visible.set(path, bytes);
  }

  #step(): void {
    if (this.stepsLeft-- <= 0) throw new Error('power failed');
  }
}
