import type { WalFiles } from '../../../node/wal/files.ts';

/** What a crash looks like from inside. */
export class SimulatedCrash extends Error {
  constructor(step: string) {
    super(`simulated crash before ${step}`);
    this.name = 'SimulatedCrash';
  }
}

/** Counts the steps of a node's life that could be its last, and makes a chosen one the last. */
export class CrashPoint {
  #left: number;
  steps = 0;
  dead = false;
  /** Resolves when the node dies. */
  readonly died: Promise<void>;
  #die: () => void = () => {};

  /** @param afterSteps how many steps succeed; Infinity: no crash */
  constructor(afterSteps: number) {
    this.#left = afterSteps;
    this.died = new Promise((resolve) => {
      this.#die = resolve;
    });
  }

  /** Passes, or throws when the node has died. */
  step(name: string): void {
    if (this.dead) throw new SimulatedCrash(name);
    this.steps++;
    if (this.#left-- > 0) return;
    this.dead = true;
    this.#die();
    throw new SimulatedCrash(name);
  }
}

interface MemoryFile {
  bytes: Uint8Array;
  syncedLength: number;
}

/** The disk under a write-ahead log: it knows what was synced. */
export class CrashDisk {
  readonly #files = new Map<string, MemoryFile>();

  /** What survives: everything handed over (the process died), or what was synced and a bit more (power cut). */
  crash(kind: 'process' | 'power', tornBytes: number): void {
    if (kind === 'process') return;
    for (const file of this.#files.values()) {
      const kept = Math.min(file.bytes.length, file.syncedLength + tornBytes);
      file.bytes = file.bytes.slice(0, kept);
      file.syncedLength = kept;
    }
  }

  /** The files as one life of the node sees them. */
  files(point: CrashPoint): WalFiles {
    const files = this.#files;
    const get = (name: string): MemoryFile => {
      const file = files.get(name);
      if (file === undefined) throw new Error(`no file ${name}`);
      return file;
    };
    return {
      list: () => [...files.keys()].filter((name) => name.endsWith('.log')).sort(),
      read: (name) => get(name).bytes,
      create: (name, bytes) => {
        point.step('wal create');
        files.set(name, { bytes: bytes.slice(), syncedLength: bytes.length });
      },
      append: (name, bytes) => {
        point.step('wal append');
        const file = get(name);
        file.bytes = Buffer.concat([file.bytes, bytes]);
      },
      sync: async (name) => {
        point.step('wal sync');
        const file = get(name);
        file.syncedLength = file.bytes.length;
        await Promise.resolve();
        point.step('wal synced');
      },
      rewrite: (name) => {
        point.step('wal rewrite');
        const file = get(name);
        file.syncedLength = file.bytes.length;
      },
      truncate: (name, length) => {
        const file = get(name);
        file.bytes = file.bytes.slice(0, length);
        file.syncedLength = Math.min(file.syncedLength, length);
      },
      remove: (name) => void files.delete(name),
      keep: () => undefined,
      close: () => undefined,
    };
  }
}
