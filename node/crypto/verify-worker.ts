/** A worker of the verifier pool: gets packed batches, posts back one byte per record, in order. */
import { parentPort } from 'node:worker_threads';
import { verifyBatch } from './verify-batch.ts';

parentPort?.on('message', (packed: Uint8Array) => {
  const results = verifyBatch(packed);
  parentPort?.postMessage(results, [results.buffer]);
});
