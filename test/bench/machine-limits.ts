/** What this machine does at most, measured in the same run as what is held against it. */
import { randomBytes } from 'node:crypto';
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ed25519Signer, verifyEd25519 } from '../../node/crypto/ed25519.ts';
import type { Row } from './report.ts';

const PROBE_SECONDS = 1;
const SYNCED_WRITE_BYTES = 1_000;

/** Says how many signature checks and synced writes a second this machine does, one after another. */
export function reportMachine(row: Row): void {
  row('machine/ed25519-verify', { threads: 1 }, `${Math.round(checksPerSecond())} checks/s`);
  row('machine/fdatasync', { bytes: SYNCED_WRITE_BYTES }, `${Math.round(syncsPerSecond())} a second`);
}

function checksPerSecond(): number {
  const signer = ed25519Signer(Uint8Array.from(randomBytes(32)));
  const message = Uint8Array.from(randomBytes(110));
  const signature = signer.sign(message);
  return perSecond(() => verifyEd25519(signer.publicKey, message, signature));
}

function syncsPerSecond(): number {
  const folder = mkdtempSync(join(tmpdir(), 'openledgerd-bench-'));
  const file = openSync(join(folder, 'probe'), 'w');
  const bytes = randomBytes(SYNCED_WRITE_BYTES);
  try {
    return perSecond(() => {
      writeSync(file, bytes);
      fdatasyncSync(file);
    });
  } finally {
    closeSync(file);
    rmSync(folder, { recursive: true, force: true });
  }
}

function perSecond(action: () => void): number {
  const beganMs = performance.now();
  let count = 0;
  while (performance.now() - beganMs < PROBE_SECONDS * 1000) {
    action();
    count++;
  }
  return count / ((performance.now() - beganMs) / 1000);
}
