/**
 * What convicts, and what proves: its size is bounded and paid for before it is read, what checking it takes
 * before it is checked. The prices are those of now, also for objects of older versions: they are about this
 * transaction.
 */
import type { ReadContext } from '../../framework/context.ts';
import type { AttributionCore } from './core.ts';
import { refuseAs } from './errors.ts';
import { refusalOr } from './proof/refusal.ts';
import type { Work } from './proof/work.ts';
import { currentParams, paramsOf } from './versions.ts';

/** What is said against an object. */
export interface Evidence {
  readonly proof: Uint8Array;
  /** The object: its parameters say how long evidence may be, else a later version could save it. */
  readonly against: { readonly paramsVersion: bigint };
}

/**
 * Charges for reading a proof.
 * @throws StateError (attribution 25) when it is empty or too long
 */
export function chargeEvidence(k: AttributionCore, context: ReadContext, evidence: Evidence): void {
  const { evidenceBytesMax } = paramsOf(k.state, context, evidence.against);
  const { gasPerByte } = currentParams(k.state, context);
  const { length } = evidence.proof;
  if (length === 0 || length > evidenceBytesMax)
    refuseAs('evidence-size', `the proof has ${length} bytes, must have 1 to ${evidenceBytesMax}`);
  context.gas.consume(length * gasPerByte, 'attribution bytes');
}

/** Charges for checking a proof, by what its format says that takes. */
export function chargeWork(k: AttributionCore, context: ReadContext, { hashes, bytes }: Work): void {
  const { gasPerByte, gasPerHash } = currentParams(k.state, context);
  context.gas.consume(hashes * gasPerHash, 'attribution hashes');
  context.gas.consume(bytes * gasPerByte, 'attribution bytes');
}

/** How evidence of some format is read and checked. Both refuse as `refusalOr` says. */
export interface EvidenceFormat<Decoded> {
  readonly decode: (proof: Uint8Array) => Decoded;
  readonly workOf: (decoded: Decoded) => Work;
  /** Returns when it convicts. */
  readonly verify: (decoded: Decoded) => void;
}

/**
 * Why evidence does not convict; undefined when it does. Charges for its length, then for its work.
 * @throws StateError (attribution 25) when it is empty or too long
 */
export function problemOfEvidence<Decoded>(
  k: AttributionCore,
  context: ReadContext,
  evidence: Evidence,
  { decode, workOf, verify }: EvidenceFormat<Decoded>,
): string | undefined {
  chargeEvidence(k, context, evidence);
  const read = refusalOr(() => {
    const decoded = decode(evidence.proof);
    return { decoded, work: workOf(decoded) };
  });
  if ('refusal' in read) return read.refusal;
  const { decoded, work } = read.value;
  chargeWork(k, context, work);
  const checked = refusalOr(() => verify(decoded));
  return 'refusal' in checked ? checked.refusal : undefined;
}
