/**
 * Models that say their answers piece by piece: lines of JSON, `{"text": "…", "tokens": 3}` for each piece and
 * at last `{"tokens": 12}` with the sum, and `"claim_id": "7"` where the whole answer rests on a claim.
 */
import type { InferenceRequest, StreamedPart } from '../../gateway/serve/ports.ts';
import { askOf } from './backend-asks.ts';
import { timeLimit } from '../../light/time-limit.ts';
import {
  askedOf,
  type BackendOptions,
  claimOf,
  failureOf,
  noAnswer,
  objectOf,
  tokensOf,
} from './backend-said.ts';

/** Asks for an answer piece by piece. Rejects with `gateway.inference`. */
export async function* streamBackend(
  options: BackendOptions,
  request: InferenceRequest,
  stop: AbortSignal,
): AsyncGenerator<StreamedPart> {
  const said = saidOf(options, askedOf(request, true), stop);
  for await (const line of linesOf(said, options.replyBytesMax)) if (line.trim() !== '') yield partOf(line);
}

async function* saidOf(
  { backend, timeoutMs }: BackendOptions,
  body: string,
  stop: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const limit = timeLimit(timeoutMs, stop);
  try {
    yield* askOf(backend)(body, limit.signal);
  } catch (error) {
    throw failureOf(limit, timeoutMs, error);
  } finally {
    limit.end();
  }
}

function partOf(line: string): StreamedPart {
  const { text, tokens: count, claim_id: claim } = objectOf(line);
  const tokens = tokensOf(count);
  if (text === undefined) return { kind: 'end', tokens, claimId: claimOf(claim) };
  if (typeof text !== 'string') throw noAnswer('"text" of the backend is no text');
  return { kind: 'piece', text, tokens };
}

async function* linesOf(said: AsyncIterable<Uint8Array>, bytesMax: number): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  let bytes = 0;
  for await (const part of said) {
    bytes += part.length;
    if (bytes > bytesMax) throw noAnswer(`the backend says more than ${bytesMax} bytes`);
    const lines = (rest + decoder.decode(part, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  yield rest + decoder.decode();
}
