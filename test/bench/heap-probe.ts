/**
 * Preloaded (`--import`) into the processes of a soak: a node writes what its main thread's heap holds to
 * `<folder>/<process id>.json`, once a second. It collects nothing itself: what is in use after a collection is
 * read when V8 has made one.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';
import { HEAP_PROBE_FOLDER, type HeapSample, heapSampleFile } from './heap-sample.ts';

const EVERY_MS = 1000;

/** Nodes only: not the devnet that starts them, nor the threads that check signatures. */
const folder = process.env[HEAP_PROBE_FOLDER];
if (folder !== undefined && isMainThread && process.argv[2] === 'start') probe(folder);

function probe(into: string): void {
  const file = heapSampleFile(into, process.pid);
  let usedAfterCollectionBytes = 0;
  let collections = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (!isMajor(entry)) continue;
      collections++;
      usedAfterCollectionBytes = process.memoryUsage().heapUsed;
    }
  }).observe({ entryTypes: ['gc'] });
  setInterval(() => {
    const { heapTotal, external, arrayBuffers } = process.memoryUsage();
    const sample: HeapSample = {
      heapBytes: heapTotal,
      usedAfterCollectionBytes,
      collections,
      externalBytes: external,
      arrayBufferBytes: arrayBuffers,
    };
    writeFileSync(`${file}.new`, JSON.stringify(sample));
    renameSync(`${file}.new`, file);
  }, EVERY_MS).unref();
}

function isMajor(entry: PerformanceEntry): boolean {
  const detail: unknown = 'detail' in entry ? entry.detail : undefined;
  if (typeof detail !== 'object' || detail === null || !('kind' in detail)) return false;
  return detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR;
}
