/**
 * Models behind a gateway: a command that is run for each request, or a server that is asked over HTTP. Both
 * get `{"model_id": "1", "prompt": "…", "max_tokens": 100}` and say
 * `{"text": "…", "tokens": 12, "claim_id": "7"}`; `claim_id`, a claim on the chain that the answer rests on, may
 * be absent.
 */
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fromUtf8, utf8 } from '../../core/bytes.ts';
import { LedgerError, messageOf } from '../../core/errors.ts';
import { contentRoot } from '../../client/content.ts';
import type { Inference, InferenceRequest } from '../../gateway/serve/ports.ts';
import { usageError } from '../failure.ts';

/** How a model is asked. */
export interface BackendOptions {
  /** `http://…` or `https://…`; else a program with its arguments, divided by spaces. */
  readonly backend: string;
  /** So many bytes of a prompt are a token, begun ones counted. */
  readonly bytesPerToken: number;
  readonly timeoutMs: number;
  /** Most bytes that a backend may say: JSON around an answer. */
  readonly replyBytesMax: number;
}

/** Of what a command writes to its standard error, as much is shown. */
const COMPLAINT_CHARACTERS = 500;
const TOKENS_MAX = 2 ** 24;
const CLAIM_FORM = /^\d{1,19}$/;
/** How long a server may take to say that it is there. */
const PROBE_MS = 5_000;

/** Says what a backend said; rejects when it did not. */
type Ask = (body: string, signal: AbortSignal) => Promise<string>;

/** Asks the backend of the options. */
export function backendInference(options: BackendOptions): Inference {
  const { backend, bytesPerToken, timeoutMs } = options;
  const ask = isUrl(backend) ? askServer(options) : askCommand(options);
  return {
    tokensIn: ({ prompt }) => Math.ceil(prompt.length / bytesPerToken),
    async infer(request, stop) {
      const signal = AbortSignal.any([stop, AbortSignal.timeout(timeoutMs)]);
      let said: string;
      try {
        said = await ask(askedOf(request), signal);
      } catch (error) {
        const why = signal.aborted && !stop.aborted ? `nothing within ${timeoutMs} ms` : messageOf(error);
        throw noAnswer(why, error);
      }
      return answerOf(said);
    },
  };
}

/**
 * Finds the backend before anything is served.
 * @throws LedgerError `cli.usage` when there is no such program, or no server answers
 */
export async function requireBackend(backend: string): Promise<void> {
  if (isUrl(backend)) {
    try {
      // Whatever it says to this: it is there.
      const response = await fetch(backend, { method: 'HEAD', signal: AbortSignal.timeout(PROBE_MS) });
      await response.body?.cancel();
    } catch {
      throw usageError(`no backend answers at ${backend}; start it, or name another with --backend`);
    }
    return;
  }
  const [program = ''] = wordsOf(backend);
  if (isProgram(program)) return;
  throw usageError(
    `there is no program "${program}"; --backend is a command that answers, or an http:// URL`,
  );
}

function isUrl(backend: string): boolean {
  return /^https?:\/\//.test(backend);
}

function wordsOf(command: string): readonly string[] {
  return command.trim().split(/\s+/);
}

function isProgram(name: string): boolean {
  if (name === '') return false;
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const paths = name.includes('/') ? [name] : folders.map((folder) => join(folder, name));
  return paths.some((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false; // not there, or no program: the next one
    }
  });
}

function askedOf({ modelId, prompt, tokensOutMax }: InferenceRequest): string {
  return JSON.stringify({ model_id: `${modelId}`, prompt: fromUtf8(prompt), max_tokens: tokensOutMax });
}

function answerOf(said: string): Awaited<ReturnType<Inference['infer']>> {
  let value: unknown;
  try {
    value = JSON.parse(said);
  } catch (error) {
    throw noAnswer('the backend did not say JSON', error);
  }
  const { text, tokens, claim_id: claim = '0' } = Object(value) as Readonly<Record<string, unknown>>;
  if (typeof text !== 'string') throw noAnswer('the backend said no "text"');
  if (typeof tokens !== 'number' || !Number.isInteger(tokens) || tokens < 0 || tokens > TOKENS_MAX)
    throw noAnswer('"tokens" of the backend is not a whole number');
  if (typeof claim !== 'string' || !CLAIM_FORM.test(claim))
    throw noAnswer('"claim_id" of the backend is not the id of a claim, as a text');
  const content = utf8(text.toWellFormed());
  return { content, tokensOut: tokens, responseHash: contentRoot(content), claimId: BigInt(claim) };
}

function askServer({ backend, replyBytesMax }: BackendOptions): Ask {
  return async (body, signal) => {
    const headers = { 'Content-Type': 'application/json' };
    const response = await fetch(backend, { method: 'POST', headers, body, signal });
    const reader = new Said(replyBytesMax);
    for await (const part of response.body ?? []) reader.add(part);
    if (response.ok) return reader.text();
    throw new LedgerError('gateway.inference', `the backend answers with status ${response.status}`);
  };
}

/** A program of its own group, so that whatever it has started ends with it. */
function askCommand({ backend, replyBytesMax }: BackendOptions): Ask {
  const [program = '', ...words] = wordsOf(backend);
  return async (body, signal) => {
    signal.throwIfAborted();
    const child = spawn(program, words, { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    const said = new Said(replyBytesMax);
    let complaint = '';
    const end = (): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // it has ended by itself
      }
    };
    signal.addEventListener('abort', end);
    try {
      return await new Promise<string>((resolve, reject) => {
        child.once('error', reject);
        // A program that does not read its request may answer all the same.
        child.stdin.on('error', () => undefined);
        child.stdin.end(body);
        child.stderr.on('data', (part: Buffer) => {
          complaint = (complaint + part.toString()).slice(-COMPLAINT_CHARACTERS);
        });
        child.stdout.on('data', (part: Buffer) => {
          try {
            said.add(part);
          } catch (error) {
            reject(error);
          }
        });
        child.once('close', (status, name) => {
          if (status === 0) resolve(said.text());
          else reject(new LedgerError('gateway.inference', endOf(status ?? name, complaint)));
        });
      });
    } finally {
      signal.removeEventListener('abort', end);
      end();
    }
  };
}

function endOf(status: number | string | null, complaint: string): string {
  return `the backend ended with ${status}${complaint === '' ? '' : `: ${complaint.trim()}`}`;
}

/** Bytes of a backend, up to a bound. */
class Said {
  readonly #parts: Uint8Array[] = [];
  readonly #bytesMax: number;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** @throws LedgerError `gateway.inference` when there are too many */
  add(part: Uint8Array): void {
    this.#bytes += part.length;
    if (this.#bytes > this.#bytesMax)
      throw new LedgerError('gateway.inference', `the backend says more than ${this.#bytesMax} bytes`);
    this.#parts.push(part);
  }

  text(): string {
    return Buffer.concat(this.#parts).toString('utf8');
  }
}

function noAnswer(why: string, cause?: unknown): LedgerError {
  return new LedgerError('gateway.inference', `the model gave no answer: ${why}`, {}, cause);
}
