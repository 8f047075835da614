/** How a backend is asked, a program or a server, and what it says: bytes, as they come. */
import { spawn } from 'node:child_process';
import { LedgerError } from '../../core/errors.ts';

/** Says what a backend says to a body; rejects when it fails, or is stopped. Who reads no more has it stopped. */
export type Ask = (body: string, signal: AbortSignal) => AsyncIterable<Uint8Array>;

/** Of what a command writes to its standard error, as much is shown. */
const COMPLAINT_CHARACTERS = 500;

/** A program with its arguments, divided by spaces, or an `http(s)://` URL. */
export function askOf(backend: string): Ask {
  return isUrl(backend)
    ? (body, signal) => askServer(backend, body, signal)
    : (body, signal) => askCommand(backend, body, signal);
}

/** True of a server. */
export function isUrl(backend: string): boolean {
  return /^https?:\/\//.test(backend);
}

/** A program and its arguments. */
export function wordsOf(command: string): readonly string[] {
  return command.trim().split(/\s+/);
}

async function* askServer(url: string, body: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const headers = { 'Content-Type': 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body, signal });
  yield* response.body ?? [];
  if (!response.ok)
    throw new LedgerError('gateway.inference', `the backend answers with status ${response.status}`);
}

/** A program of its own group, so that whatever it has started ends with it. */
async function* askCommand(command: string, body: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const [program = '', ...words] = wordsOf(command);
  signal.throwIfAborted();
  const child = spawn(program, words, { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
  let complaint = '';
  const end = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // it has ended by itself
    }
  };
  signal.addEventListener('abort', end);
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status, name) => {
      if (status === 0) resolve();
      else reject(new LedgerError('gateway.inference', endOf(status ?? name, complaint)));
    });
  });
  // It is awaited when all is read.
  ended.catch(() => undefined);
  // A program that does not read its request may answer all the same.
  child.stdin.on('error', () => undefined);
  child.stdin.end(body);
  child.stderr.on('data', (part: Buffer) => {
    complaint = (complaint + part.toString()).slice(-COMPLAINT_CHARACTERS);
  });
  try {
    yield* child.stdout;
    await ended;
  } finally {
    signal.removeEventListener('abort', end);
    end();
  }
}

function endOf(status: number | string | null, complaint: string): string {
  return `the backend ended with ${status}${complaint === '' ? '' : `: ${complaint.trim()}`}`;
}
