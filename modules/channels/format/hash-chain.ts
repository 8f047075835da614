/**
 * Chains of hashes (PayWord, Rivest and Shamir 1996): `w[i] = SHA-256(w[i+1])`, the root is `w[0]`. Who shows
 * `w[k]` has shown that the payer let go of k links.
 */
import { equalBytes } from '../../../core/bytes.ts';
import { sha256 } from '../../../core/hash.ts';

/** All of a chain: root first, then the preimage of each before it. @param seed 32 secret bytes */
export function hashChainOf(seed: Uint8Array, links: number): readonly Uint8Array[] {
  const chain = [seed];
  for (let i = 0, last = seed; i < links; i++) {
    last = sha256(last);
    chain.push(last);
  }
  return chain.reverse();
}

/** True when so many hashes lead from the preimage to what is known already. */
export function leadsTo(known: Uint8Array, preimage: Uint8Array, hashes: number): boolean {
  let value = preimage;
  for (let i = 0; i < hashes; i++) value = sha256(value);
  return equalBytes(value, known);
}
