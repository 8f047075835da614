/** What a command sees of the terminal, so that tests can stand in for it. */
import { createInterface, type Interface } from 'node:readline';

/** Output, input and what is known of them. */
export interface Terminal {
  /** Writes to standard output as it is. */
  out(text: string): void;
  /** Writes a line to standard error. */
  note(line: string): void;
  /** True when standard output is a terminal: progress may be redrawn. */
  readonly interactive: boolean;
  /** Columns of the terminal; none when standard output is not one. */
  readonly columns?: number | undefined;
  /** Reads one line of standard input; the prompt goes to standard error, and only when a person reads it. */
  ask(prompt: string, options?: { readonly secret?: boolean }): Promise<string>;
}

/** The terminal of this process. */
export function processTerminal(): Terminal {
  const lines = lineReader();
  return {
    out: (text) => void process.stdout.write(text),
    note: (line) => void process.stderr.write(`${line}\n`),
    interactive: process.stdout.isTTY === true,
    get columns() {
      return process.stdout.isTTY === true ? process.stdout.columns : undefined;
    },
    ask: async (prompt, options = {}) => {
      if (process.stdin.isTTY !== true) return lines.next();
      return options.secret === true ? askSecret(prompt) : askOpen(prompt);
    },
  };
}

/** Lines of a standard input that is a pipe or a file; empty after its end. */
function lineReader(): { readonly next: () => Promise<string> } {
  let iterator: AsyncIterator<string> | undefined;
  return {
    next: async () => {
      iterator ??= createInterface({ input: process.stdin })[Symbol.asyncIterator]();
      const line = await iterator.next();
      return line.done === true ? '' : line.value;
    },
  };
}

function askOpen(prompt: string): Promise<string> {
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  return answerOf(reader, prompt);
}

/** Asks without echo: the reader's output goes nowhere once the prompt is written. */
function askSecret(prompt: string): Promise<string> {
  const reader = createInterface({ input: process.stdin, terminal: true });
  process.stderr.write(prompt);
  return answerOf(reader, '').finally(() => process.stderr.write('\n'));
}

function answerOf(reader: Interface, prompt: string): Promise<string> {
  return new Promise((resolve) => {
    reader.once('close', () => resolve(''));
    reader.question(prompt, (answer) => {
      resolve(answer);
      reader.close();
    });
  });
}
