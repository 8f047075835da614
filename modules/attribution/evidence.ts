/** What convicts: its size is bounded and paid for before anything is hashed. */
import type { ReadContext } from '../../framework/context.ts';
import type { AttributionCore } from './core.ts';
import { refuseAs } from './errors.ts';
import { currentParams } from './versions.ts';

/**
 * Bytes of a proof for each hash that checking it can take: nothing that is hashed is shorter, and inner
 * nodes are at most as many as the hashes and leaves that they are made of.
 */
const BYTES_PER_HASH = 16;

/**
 * Charges for checking a proof, by its length: hashes, and bytes compared.
 * @throws StateError (attribution 25) when it is empty or too long
 */
export function chargeEvidence(k: AttributionCore, context: ReadContext, proof: Uint8Array): void {
  const { evidenceBytesMax, gasPerByte, gasPerHash } = currentParams(k.state, context);
  const { length } = proof;
  if (length === 0 || length > evidenceBytesMax)
    refuseAs('evidence-size', `the proof has ${length} bytes, must have 1 to ${evidenceBytesMax}`);
  const hashes = Math.ceil(length / BYTES_PER_HASH);
  context.gas.consume(hashes * gasPerHash, 'attribution hashes');
  context.gas.consume(length * gasPerByte, 'attribution bytes');
}
