/**
 * The machine's limit that stands beside every throughput: native signature checks a second on the cores
 * used.
 */
import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

const WARM_UP_ROUNDS = 4;
const KEYS = 64;

interface Native {
  publicKeyCreate(privateKey: Uint8Array): Uint8Array;
  ecdsaSign(digest: Uint8Array, privateKey: Uint8Array): { readonly signature: Uint8Array };
  ecdsaVerify(signature: Uint8Array, digest: Uint8Array, publicKey: Uint8Array): boolean;
}

/** Checks a second of so many threads together, each for `seconds`. */
export async function signatureChecksPerSecond(threads: number, seconds: number): Promise<number> {
  const rates = await Promise.all(Array.from({ length: threads }, () => rateOfWorker(seconds)));
  return rates.reduce((sum, rate) => sum + rate, 0);
}

function rateOfWorker(seconds: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: { seconds } });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

function measure(seconds: number): number {
  const native: Native = createRequire(import.meta.url)('secp256k1/bindings.js');
  const samples = Array.from({ length: KEYS }, () => {
    const privateKey = Uint8Array.from(randomBytes(32));
    const digest = Uint8Array.from(randomBytes(32));
    return {
      digest,
      publicKey: native.publicKeyCreate(privateKey),
      signature: native.ecdsaSign(digest, privateKey).signature,
    };
  });
  const round = (): void => {
    for (const { signature, digest, publicKey } of samples) {
      if (!native.ecdsaVerify(signature, digest, publicKey)) throw new Error('a good signature was refused');
    }
  };
  for (let i = 0; i < WARM_UP_ROUNDS; i++) round();
  const start = performance.now();
  let rounds = 0;
  while (performance.now() - start < seconds * 1000) {
    round();
    rounds++;
  }
  return (rounds * KEYS) / ((performance.now() - start) / 1000);
}

if (!isMainThread) {
  const { seconds } = workerData as { readonly seconds: number };
  parentPort?.postMessage(measure(seconds));
}
