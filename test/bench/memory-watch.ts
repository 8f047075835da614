/** Memory of nodes under load, minute by minute: how much, of which kind, and whether it grows. */
import { type HeapSample, readHeapSample } from './heap-sample.ts';
import { type ProcessStats, processStats } from './process-stats.ts';

const SECONDS_PER_MINUTE = 60;
const NO_HEAP: HeapSample = {
  heapBytes: 0,
  usedAfterCollectionBytes: 0,
  collections: 0,
  externalBytes: 0,
  arrayBufferBytes: 0,
};

/** Means of a minute, in bytes, of one process. What the heap says is 0 where the process was not probed. */
export interface MemoryMinute {
  /** 1 is the first. */
  readonly minute: number;
  readonly rssBytes: number;
  /** Resident memory that is the process's own. */
  readonly anonymousBytes: number;
  /** Resident pages of files: the program itself and its libraries, files of databases. */
  readonly fileBytes: number;
  readonly heap: HeapSample;
}

type Sample = Omit<MemoryMinute, 'minute'>;

/** Takes samples of processes. */
export class MemoryWatch {
  readonly #pids: readonly number[];
  readonly #probeFolder: string | undefined;
  /** By process, then by minute. */
  readonly #samples: Map<number, Sample[]>[];

  /** @param probeFolder where `heap-probe.ts` writes; undefined when the processes were started without it */
  constructor(pids: readonly number[], probeFolder: string | undefined) {
    this.#pids = pids;
    this.#probeFolder = probeFolder;
    this.#samples = pids.map(() => new Map());
  }

  /** Takes one of each process, so many seconds after the start. */
  take(seconds: number): void {
    const minute = Math.floor(seconds / SECONDS_PER_MINUTE) + 1;
    for (const [i, pid] of this.#pids.entries()) {
      const stats = processStats(pid);
      if (stats === undefined) continue;
      const heap = this.#probeFolder === undefined ? undefined : readHeapSample(this.#probeFolder, pid);
      const ofProcess = this.#samples[i];
      ofProcess?.set(minute, [...(ofProcess.get(minute) ?? []), sampleOf(stats, heap)]);
    }
  }

  /** The minutes of the process that was the largest at the end. */
  largest(): readonly MemoryMinute[] {
    const all = this.#samples.map((ofProcess) =>
      [...ofProcess].map(([minute, samples]) => ({ minute, ...mean(samples) })),
    );
    const size = (minutes: readonly MemoryMinute[]): number => minutes.at(-1)?.rssBytes ?? 0;
    return all.reduce((largest, each) => (size(each) > size(largest) ? each : largest), []);
  }
}

/** How much a figure grew from one minute to the last, as a share; undefined without those minutes. */
export function growthSince(
  minutes: readonly MemoryMinute[],
  first: number,
  figure: (minute: MemoryMinute) => number,
): number | undefined {
  const from = minutes.find(({ minute }) => minute === first);
  const to = minutes.at(-1);
  if (from === undefined || to === undefined || to === from || figure(from) === 0) return undefined;
  return figure(to) / figure(from) - 1;
}

function sampleOf(stats: ProcessStats, heap: HeapSample = NO_HEAP): Sample {
  const { rssBytes, anonymousBytes, fileBytes } = stats;
  return { rssBytes, anonymousBytes, fileBytes, heap };
}

function mean(samples: readonly Sample[]): Sample {
  const of = (figure: (sample: Sample) => number): number =>
    samples.reduce((sum, sample) => sum + figure(sample), 0) / samples.length;
  return {
    rssBytes: of((sample) => sample.rssBytes),
    anonymousBytes: of((sample) => sample.anonymousBytes),
    fileBytes: of((sample) => sample.fileBytes),
    heap: {
      heapBytes: of(({ heap }) => heap.heapBytes),
      usedAfterCollectionBytes: of(({ heap }) => heap.usedAfterCollectionBytes),
      collections: Math.max(...samples.map(({ heap }) => heap.collections)),
      externalBytes: of(({ heap }) => heap.externalBytes),
      arrayBufferBytes: of(({ heap }) => heap.arrayBufferBytes),
    },
  };
}
