/** Progress of an audit: redrawn on a terminal, a line now and then elsewhere, or JSON lines. */
import type { Terminal } from '../terminal.ts';
import type { AuditProgress } from './audit.ts';

const REDRAW_MS = 200;
const NOTE_MS = 10_000;
/** Columns where the terminal does not say. */
const COLUMNS = 80;
/** Erases the line that is being redrawn. */
const ERASE = '\r\u001b[K';

/** How it is shown. */
export interface AuditViewOptions {
  readonly json: boolean;
  /** A clock that never goes back. */
  readonly nowMs: () => number;
}

/** Writes how far an audit is, and what came of it. */
export class AuditView {
  readonly #terminal: Terminal;
  readonly #options: AuditViewOptions;
  #beganMs = 0;
  #shownMs = 0;
  #isDrawn = false;

  constructor(terminal: Terminal, options: AuditViewOptions) {
    this.#terminal = terminal;
    this.#options = options;
  }

  /** The first block is about to be executed. */
  begin(): void {
    this.#beganMs = this.#options.nowMs();
    this.#shownMs = this.#beganMs;
  }

  /** Since then. */
  seconds(): number {
    return (this.#options.nowMs() - this.#beganMs) / 1000;
  }

  progress({ height, from, to, transactions }: AuditProgress): void {
    const now = this.#options.nowMs();
    const isTerminal = this.#terminal.interactive && !this.#options.json;
    if (now - this.#shownMs < (isTerminal ? REDRAW_MS : NOTE_MS)) return;
    this.#shownMs = now;
    const blocksPerSecond = Math.round(Number(height - from + 1n) / this.seconds());
    if (this.#options.json) {
      this.event('progress', { height, to, transactions, blocks_per_second: blocksPerSecond });
      return;
    }
    const line = `block ${height} of ${to}, ${transactions} transactions, ${blocksPerSecond} blocks/s`;
    if (isTerminal) this.#terminal.out(`${ERASE}${line.slice(0, (this.#terminal.columns ?? COLUMNS) - 1)}`);
    else this.#terminal.note(line);
    this.#isDrawn = isTerminal;
  }

  /** A JSON line. */
  event(event: string, facts: Readonly<Record<string, unknown>>): void {
    this.#terminal.out(`${JSON.stringify({ event, ...facts }, printable)}\n`);
  }

  /** The report in place of the progress. */
  done(text: string): void {
    this.end();
    this.#terminal.out(text);
  }

  /** Erases what was drawn: an error follows on a line of its own. */
  end(): void {
    if (this.#isDrawn) this.#terminal.out(ERASE);
    this.#isDrawn = false;
  }
}

/** 64-bit numbers become decimal text. */
function printable(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}
