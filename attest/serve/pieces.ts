/** Neighbouring pieces of something, as they are asked for and as they are answered. */
import { immutableBytes, type Reply } from '../../serve/reply.ts';
import { badRequest } from './errors.ts';

/** A whole number of a query; another when it is not given. @throws LedgerError `attest.request` */
function wholeNumber(search: URLSearchParams, name: string, fallback: number): number {
  const text = search.get(name);
  if (text === null) return fallback;
  if (!/^\d{1,10}$/.test(text))
    throw badRequest(`${name} must be a whole number, not "${text.slice(0, 40)}"`);
  return Number(text);
}

/** Which of so many pieces are asked for by `from` and `count`. @throws LedgerError `attest.request` */
export function rangeOf(search: URLSearchParams, total: number, most: number): readonly number[] {
  const from = wholeNumber(search, 'from', 0);
  const count = wholeNumber(search, 'count', 1);
  if (count < 1 || count > most) throw badRequest(`count is ${count}; ask for 1 to ${most}`);
  if (from >= total) throw badRequest(`there are ${total}, from 0; ${from} is none of them`);
  return Array.from({ length: Math.min(count, total - from) }, (_, i) => from + i);
}

/** u32 length and bytes of each leaf. */
export function leavesReply(leaves: readonly Uint8Array[]): Reply {
  const out = Buffer.alloc(leaves.reduce((sum, leaf) => sum + 4 + leaf.length, 0));
  let at = 0;
  for (const leaf of leaves) {
    at = out.writeUInt32BE(leaf.length, at);
    out.set(leaf, at);
    at += leaf.length;
  }
  return immutableBytes(out);
}
