import { type ErrorKind, StateError } from '../../framework/errors.ts';
import type { ClaimProblemKind } from './verify.ts';

/** What can be wrong besides the quotations of a claim. */
type FurtherKind =
  | 'contribution-not-in-snapshot'
  | 'too-many-owners'
  | 'not-attributable'
  | 'unknown-snapshot'
  | 'malformed-index'
  | 'unknown-shard'
  | 'unknown-index'
  | 'wrong-bond'
  | 'not-owner'
  | 'not-usable'
  | 'not-convicted'
  | 'evidence-size'
  | 'malformed-request'
  | 'too-many-requests'
  | 'unknown-request'
  | 'request-closed'
  | 'wrong-chunk'
  | 'unknown-claim'
  | 'claim-closed'
  | 'other-claim'
  | 'part-not-allowed'
  | 'not-proved'
  | 'too-many-shares'
  | 'malformed-retrieval'
  | 'unknown-model'
  | 'unknown-card'
  | 'malformed-card'
  | 'not-member'
  | 'already-requested';

/** Names of the failures of attribution. */
export type AttributionErrorName = ClaimProblemKind | FurtherKind;

/** Failures of attribution: one for each way in which something is wrong. Numbers are never reused. */
export const attributionErrors: Readonly<Record<AttributionErrorName, ErrorKind>> = {
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
  'unknown-snapshot': kind(17, 'unknown snapshot'),
  'malformed-index': kind(18, 'malformed index'),
  'unknown-shard': kind(19, 'unknown shard'),
  'unknown-index': kind(20, 'unknown index'),
  'wrong-bond': kind(21, 'wrong bond'),
  'not-owner': kind(22, 'not the publisher'),
  'not-usable': kind(23, 'not in a state for this'),
  'not-convicted': kind(24, 'proof does not convict'),
  'evidence-size': kind(25, 'evidence has a wrong size'),
  'malformed-request': kind(26, 'malformed request'),
  'too-many-requests': kind(27, 'too many open requests'),
  'unknown-request': kind(28, 'unknown request'),
  'request-closed': kind(29, 'request can no longer be answered'),
  'wrong-chunk': kind(30, 'not the piece that was asked for'),
  'unknown-claim': kind(31, 'unknown claim'),
  'claim-closed': kind(32, 'claim is not open'),
  'other-claim': kind(33, 'claim is about something else'),
  'part-not-allowed': kind(34, 'part is not of the policy of the model'),
  'not-proved': kind(35, 'not proved'),
  'too-many-shares': kind(36, 'too many contributions'),
  'malformed-retrieval': kind(37, 'malformed retrieval'),
  'unknown-model': kind(38, 'unknown model'),
  'unknown-card': kind(39, 'unknown model card'),
  'malformed-card': kind(40, 'malformed model card'),
  'not-member': kind(41, 'not a member of the datanet'),
  'already-requested': kind(42, 'a request for this piece is open'),
};

function kind(code: number, description: string): ErrorKind {
  return { codespace: 'attribution', code, description };
}

/** Refuses with one of them. @throws StateError */
export function refuseAs(name: AttributionErrorName, detail: string): never {
  throw new StateError(attributionErrors[name], detail);
}
