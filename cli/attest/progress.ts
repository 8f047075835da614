/** Progress of builds and checks: redrawn on a terminal, a line a shard or long stage elsewhere, or JSON lines. */
import type { BuildProgress } from '../../attest/index/build.ts';
import type { PositionRange } from '../../attest/index/generations.ts';
import type { Terminal } from '../terminal.ts';

/** How a person knows the stages. */
const STAGES: Readonly<Record<BuildProgress['stage'], string>> = {
  sort: 'sorting suffixes',
  inverse: 'hashing the inverse tree',
  text: 'hashing the text tree',
  suffix: 'hashing the suffix tree',
  documents: 'hashing the documents tree',
};

/** Tokens or leaves from which a stage takes long enough to be noted where nothing is redrawn. */
const NOTED_TOTAL = 1_000_000;
/** Columns of a progress line where the terminal does not say. */
const COLUMNS = 80;
/** Erases the line that is being redrawn. */
const ERASE = '\r\u001b[K';

/** Writes how far a build is. */
export class ProgressView {
  readonly #terminal: Terminal;
  readonly #json: boolean;
  #last = '';

  constructor(terminal: Terminal, json: boolean) {
    this.#terminal = terminal;
    this.#json = json;
  }

  /** What is built, or checked, and how far it is. */
  show(range: PositionRange, progress: BuildProgress): void {
    if (this.#json) {
      this.event('progress', { first: range.first, documents: range.documents, ...progress });
      return;
    }
    const { stage, done, total } = progress;
    const documents = `documents ${range.first} to ${range.first + range.documents - 1}`;
    const what = `${documents}: ${STAGES[stage]}`;
    if (this.#terminal.interactive) {
      const share = total === 0 ? 100 : Math.floor((100 * done) / total);
      const line = `${what} ${share} %${progress.detail === undefined ? '' : ` (${progress.detail})`}`;
      this.#terminal.out(`${ERASE}${line.slice(0, (this.#terminal.columns ?? COLUMNS) - 1)}`);
      return;
    }
    const note = total < NOTED_TOTAL ? documents : what;
    if (note !== this.#last) this.#terminal.note(note);
    this.#last = note;
  }

  /** Something that has happened: a JSON line, or a sentence. */
  event(event: string, facts: Readonly<Record<string, unknown>>, sentence?: string): void {
    if (this.#json) this.#terminal.out(`${JSON.stringify({ event, ...facts }, printable)}\n`);
    else if (sentence !== undefined) this.#terminal.out(`${this.#erase()}${sentence}\n`);
  }

  #erase(): string {
    return this.#terminal.interactive ? ERASE : '';
  }
}

/** 64-bit numbers become decimal text. */
function printable(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
