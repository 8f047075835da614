/**
 * Signature checks that were passed are not made again: a precommit is checked when it comes, and again in
 * the last commit of the next block; a commit from block sync twice. Only what is true is remembered, under
 * the whole of key, signature and message, so no collision can make a wrong one pass.
 */
import type { VerifySignature } from '../../consensus/types/public-key.ts';

/** Entries in each of two generations; an entry is about 300 bytes. */
const ENTRIES_MAX = 8_192;
/** Checks in other threads at a time: a second of work, or less. */
const UNDER_WAY_MAX = 4_096;

/** The same check elsewhere: resolves to true when it passed, to false when that is not known. */
export type VerifyInBackground = (...signature: Parameters<VerifySignature>) => Promise<boolean>;

/** A check that remembers what passed. */
export class RememberingVerifier {
  readonly #verify: VerifySignature;
  readonly #inBackground: VerifyInBackground | undefined;
  readonly #entriesMax: number;
  #young = new Set<string>();
  #old = new Set<string>();
  readonly #underWay = new Set<string>();

  constructor(
    verify: VerifySignature,
    options: { readonly entriesMax?: number; readonly inBackground?: VerifyInBackground } = {},
  ) {
    this.#verify = verify;
    this.#inBackground = options.inBackground;
    this.#entriesMax = options.entriesMax ?? ENTRIES_MAX;
  }

  readonly verify: VerifySignature = (key, message, signature) => {
    const entry = entryOf(key, message, signature);
    if (this.#young.has(entry) || this.#old.has(entry)) return true;
    if (!this.#verify(key, message, signature)) return false;
    this.#remember(entry);
    return true;
  };

  /** Checks in another thread what will be checked here soon; not when many such checks are under way. */
  readonly expect = (...signature: Parameters<VerifySignature>): void => {
    if (this.#inBackground === undefined || this.#underWay.size >= UNDER_WAY_MAX) return;
    const entry = entryOf(...signature);
    if (this.#young.has(entry) || this.#old.has(entry) || this.#underWay.has(entry)) return;
    this.#underWay.add(entry);
    void this.#inBackground(...signature).then((passed) => {
      this.#underWay.delete(entry);
      if (passed) this.#remember(entry);
    });
  };

  #remember(entry: string): void {
    if (this.#young.size >= this.#entriesMax) {
      this.#old = this.#young;
      this.#young = new Set();
    }
    this.#young.add(entry);
  }
}

/** Lengths first: where one part ends and the next begins is part of the entry. */
function entryOf(...[key, message, signature]: Parameters<VerifySignature>): string {
  const head = `${key.type} ${key.bytes.length} ${signature.length} `;
  return head + Buffer.concat([key.bytes, signature, message]).toString('latin1');
}
