/** What backends are asked and say, the parts that whole answers and streams share. */
import { fromUtf8 } from '../../core/bytes.ts';
import { LedgerError, messageOf } from '../../core/errors.ts';
import type { InferenceRequest } from '../../gateway/serve/ports.ts';
import type { TimeLimit } from '../../light/time-limit.ts';

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

const TOKENS_MAX = 2 ** 24;
const CLAIM_FORM = /^\d{1,19}$/;

/** What a backend is asked. */
export function askedOf({ modelId, prompt, tokensOutMax }: InferenceRequest, stream?: boolean): string {
  const asked = { model_id: `${modelId}`, prompt: fromUtf8(prompt), max_tokens: tokensOutMax };
  return JSON.stringify({ ...asked, stream });
}

/** @throws LedgerError `gateway.inference`, as those below */
export function objectOf(said: string): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(said)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    throw noAnswer('the backend did not say JSON', error);
  }
}

/** A number of tokens. */
export function tokensOf(tokens: unknown): number {
  if (typeof tokens === 'number' && Number.isInteger(tokens) && tokens >= 0 && tokens <= TOKENS_MAX)
    return tokens;
  throw noAnswer('"tokens" of the backend is not a whole number');
}

/** A claim; 0 for none. */
export function claimOf(claim: unknown): bigint {
  if (claim === undefined) return 0n;
  if (typeof claim === 'string' && CLAIM_FORM.test(claim)) return BigInt(claim);
  throw noAnswer('"claim_id" of the backend is not the id of a claim, as a text');
}

/** What is said of a failure while a backend was waited for. */
export function failureOf({ isOver }: TimeLimit, timeoutMs: number, error: unknown): LedgerError {
  return noAnswer(isOver() ? `nothing within ${timeoutMs} ms` : messageOf(error), error);
}

/** What a backend that failed is said to have done. */
export function noAnswer(why: string, cause?: unknown): LedgerError {
  return new LedgerError('gateway.inference', `the model gave no answer: ${why}`, {}, cause);
}
