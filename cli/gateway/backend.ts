/**
 * Models behind a gateway: a command that is run for each request, or a server that is asked over HTTP. Both
 * get `{"model_id": "1", "prompt": "…", "max_tokens": 100}` and say
 * `{"text": "…", "tokens": 12, "claim_id": "7"}`; `claim_id`, a claim on the chain that the answer rests on, may
 * be absent.
 */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { utf8 } from '../../core/bytes.ts';
import { LedgerError } from '../../core/errors.ts';
import { contentRoot } from '../../client/content.ts';
import type { Inference, InferenceAnswer, StreamingInference } from '../../gateway/serve/ports.ts';
import { usageError } from '../failure.ts';
import { askOf, isUrl, wordsOf } from './backend-asks.ts';
import {
  askedOf,
  type BackendOptions,
  claimOf,
  failureOf,
  noAnswer,
  objectOf,
  tokensOf,
} from './backend-said.ts';
import { timeLimit } from '../../light/time-limit.ts';
import { streamBackend } from './backend-stream.ts';

/** How long a server may take to say that it is there. */
const PROBE_MS = 5_000;

/** Asks the backend of the options. */
export function backendInference(options: BackendOptions): Inference & StreamingInference {
  const { backend, bytesPerToken, timeoutMs, replyBytesMax } = options;
  const ask = askOf(backend);
  return {
    tokensIn: ({ prompt }) => Math.ceil(prompt.length / bytesPerToken),
    async infer(request, stop) {
      const limit = timeLimit(timeoutMs, stop);
      let said: string;
      try {
        said = await textOf(ask(askedOf(request), limit.signal), replyBytesMax);
      } catch (error) {
        throw failureOf(limit, timeoutMs, error);
      } finally {
        limit.end();
      }
      return answerOf(said);
    },
    stream: (request, stop) => streamBackend(options, request, stop),
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

function answerOf(said: string): InferenceAnswer {
  const { text, tokens, claim_id: claim } = objectOf(said);
  if (typeof text !== 'string') throw noAnswer('the backend said no "text"');
  const content = utf8(text.toWellFormed());
  const [tokensOut, claimId] = [tokensOf(tokens), claimOf(claim)];
  return { content, tokensOut, responseHash: contentRoot(content), claimId };
}

/** All that a backend says, up to a bound. @throws LedgerError `gateway.inference` when it is more */
async function textOf(said: AsyncIterable<Uint8Array>, bytesMax: number): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of said) {
    bytes += part.length;
    if (bytes > bytesMax)
      throw new LedgerError('gateway.inference', `the backend says more than ${bytesMax} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
