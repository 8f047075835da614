/** What a node under a soak says of its own heap, and where it is found. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Environment variable: the folder that probes write to. */
export const HEAP_PROBE_FOLDER = 'OPENLEDGERD_HEAP_PROBE';

/** The main thread's heap; in bytes. */
export interface HeapSample {
  /** What V8 has taken from the system for it. */
  readonly heapBytes: number;
  /** What was in use when the last full collection ended. */
  readonly usedAfterCollectionBytes: number;
  /** Full collections since the start. */
  readonly collections: number;
  /** Memory outside the heap that objects in it keep; array buffers are a part of it. */
  readonly externalBytes: number;
  readonly arrayBufferBytes: number;
}

/** Where the probe of a process writes. */
export function heapSampleFile(folder: string, pid: number): string {
  return join(folder, `${pid}.json`);
}

/** Variables with which a node probes itself. */
export function heapProbeEnvironment(folder: string): Readonly<Record<string, string>> {
  const probe = new URL('./heap-probe.ts', import.meta.url);
  return { [HEAP_PROBE_FOLDER]: folder, NODE_OPTIONS: `--import=${probe.href}` };
}

/** The last sample of a process; undefined when there is none. */
export function readHeapSample(folder: string, pid: number): HeapSample | undefined {
  const file = heapSampleFile(folder, pid);
  if (!existsSync(file)) return undefined;
  const sample: HeapSample = JSON.parse(readFileSync(file, 'utf8'));
  return sample;
}
