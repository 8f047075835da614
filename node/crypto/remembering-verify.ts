/**
 * Signature checks that were passed are not made again: a precommit is checked when it comes, and again in
 * the last commit of the next block; a commit from block sync twice. Only what is true is remembered, under
 * the whole of key, signature and message, so no collision can make a wrong one pass.
 */
import type { VerifySignature } from '../../consensus/types/public-key.ts';

/** Entries in each of two generations; an entry is about 300 bytes. */
const ENTRIES_MAX = 8_192;

/** The same check, remembering what passed. */
export function rememberingVerify(
  verify: VerifySignature,
  { entriesMax = ENTRIES_MAX }: { readonly entriesMax?: number } = {},
): VerifySignature {
  let young = new Set<string>();
  let old = new Set<string>();
  return (key, message, signature) => {
    const entry = entryOf(key, message, signature);
    if (young.has(entry) || old.has(entry)) return true;
    if (!verify(key, message, signature)) return false;
    if (young.size >= entriesMax) {
      old = young;
      young = new Set();
    }
    young.add(entry);
    return true;
  };
}

/** Lengths first: where one part ends and the next begins is part of the entry. */
function entryOf(...[key, message, signature]: Parameters<VerifySignature>): string {
  const head = `${key.type} ${key.bytes.length} ${signature.length} `;
  return head + Buffer.concat([key.bytes, signature, message]).toString('latin1');
}
