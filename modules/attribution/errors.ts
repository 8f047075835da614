import type { ErrorKind } from '../../framework/errors.ts';
import type { ClaimProblemKind } from './verify.ts';

/** Failures of attribution: one for each way in which a claim is wrong. Numbers are never reused. */
export const attributionErrors: Readonly<
  Record<
    ClaimProblemKind | 'contribution-not-in-snapshot' | 'too-many-owners' | 'not-attributable',
    ErrorKind
  >
> = {
  'malformed-claim': kind(2, 'malformed claim'),
  'malformed-answer': kind(3, 'malformed answer'),
  'too-many-spans': kind(4, 'too many spans'),
  'span-length': kind(5, 'span is too short or too long'),
  'span-outside-answer': kind(6, 'span is outside the answer'),
  'span-outside-contribution': kind(7, 'span is outside the contribution'),
  'unknown-contribution': kind(8, 'unknown contribution'),
  'malformed-proof': kind(9, 'malformed proof'),
  'proof-too-large': kind(10, 'proof is too large'),
  'forged-span': kind(11, 'forged span'),
  'wrong-root': kind(12, 'wrong root'),
  'wrong-answer-root': kind(13, 'wrong answer root'),
  'contribution-not-in-snapshot': kind(14, 'contribution is in no snapshot of the model'),
  'too-many-owners': kind(15, 'too many contributions share a byte'),
  'not-attributable': kind(16, 'model is not attributed'),
};

function kind(code: number, description: string): ErrorKind {
  return { codespace: 'attribution', code, description };
}
