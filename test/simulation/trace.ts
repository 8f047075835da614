/** What happened, for people (the last lines) and for comparison (a hash of everything). */
import { createHash, type Hash } from 'node:crypto';
import { toHex } from '../../core/bytes.ts';
import { messageOf } from '../../core/errors.ts';

const LINES_KEPT = 400;
const HASHED_TOGETHER = 1_000;

/** What a trace keeps, and how it shows it. */
export interface TraceOptions {
  readonly keepAll: boolean;
  /** Makes a line shorter for people. */
  readonly shown?: (line: string) => string;
}

/** The trace of one run. */
export class Trace {
  readonly #hash: Hash = createHash('sha256');
  readonly #lines: string[] = [];
  #pending: string[] = [];
  #digest: string | undefined;
  /** Keeps every line: for the replay of one seed. */
  readonly #keepAll: boolean;
  readonly #shown: (line: string) => string;

  constructor({ keepAll, shown }: TraceOptions) {
    this.#keepAll = keepAll;
    this.#shown = shown ?? ((line) => line);
  }

  /** Something that people want to read. */
  line(atMs: number, who: string, what: string): void {
    const text = `${atMs.toFixed(1).padStart(9)} ${who.padEnd(6)} ${what}`;
    this.note(text);
    this.#lines.push(this.#shown(text));
    if (!this.#keepAll && this.#lines.length > 2 * LINES_KEPT) this.#lines.splice(0, LINES_KEPT);
  }

  /** Something that only must be the same again. */
  note(text: string): void {
    this.#pending.push(text);
    if (this.#pending.length >= HASHED_TOGETHER) this.#flush();
  }

  /** The last lines, the oldest first. */
  last(count: number): readonly string[] {
    return this.#lines.slice(-count);
  }

  /** The hash of all that happened; nothing may be added after it. */
  digest(): string {
    this.#flush();
    this.#digest ??= this.#hash.digest('hex').slice(0, 16);
    return this.#digest;
  }

  #flush(): void {
    if (this.#pending.length > 0) this.#hash.update(this.#pending.join('\n'));
    this.#pending = [];
  }
}

/** The facts of a line of a log. */
export function factsText(facts: Readonly<Record<string, unknown>>): string {
  return Object.entries(facts)
    .map(([name, value]) => `${name}=${value instanceof Uint8Array ? toHex(value) : messageOf(value)}`)
    .join(' ')
    .slice(0, 300);
}
