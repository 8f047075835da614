/**
 * Options of the programs among the tests: `--seeds 100`, `--seeds=100`, `--verbose`. They are asked for one by
 * one; `end` then says what was wrong or, for `--help`, what there is, and ends the program.
 */
import { parseArgs } from 'node:util';

/** What a program is called and what it does, and the words after its name. */
export interface ProgramUsage {
  /** `npm run fuzz`. */
  readonly command: string;
  /** One sentence. */
  readonly purpose: string;
  /** Default: those of this process. */
  readonly argv?: readonly string[];
}

/** An option that has a value. */
interface Described<F> {
  /** What it is without being named. */
  readonly fallback: F;
  readonly help: string;
}

/** A number: at least `least`, 0 if not given, and whole unless `fraction`. */
interface NumberOption<F> extends Described<F> {
  readonly least?: number;
  readonly fraction?: boolean;
}

/** What to print, and the code to end with. */
export interface Ending {
  readonly code: 0 | 2;
  readonly text: string;
}

interface Known {
  readonly type: 'string' | 'boolean';
  readonly line: string;
}

const NAME_COLUMN = 26;
const WRONG_USE = 2;

/** The words after a program's name, taken by name. */
export class ProgramOptions {
  readonly #usage: ProgramUsage;
  readonly #argv: readonly string[];
  readonly #known = new Map<string, Known>();
  #problem: string | undefined;

  constructor(usage: ProgramUsage) {
    this.#usage = usage;
    this.#argv = usage.argv ?? process.argv.slice(2);
  }

  /** A number. */
  number<F extends number | undefined>(name: string, option: NumberOption<F>): number | F {
    const text = this.#value(name, '<number>', option);
    return text === undefined ? option.fallback : this.#number(name, text, option);
  }

  /** Numbers with commas between them. */
  numbers<F extends readonly number[] | undefined>(
    name: string,
    option: Described<F>,
  ): readonly number[] | F {
    const text = this.#value(name, '<number,…>', option);
    if (text === undefined) return option.fallback;
    return text.split(',').map((part) => this.#number(name, part, { least: 1 }));
  }

  /** Any text. */
  text<F extends string | undefined>(name: string, option: Described<F>): string | F {
    return this.#value(name, '<text>', option) ?? option.fallback;
  }

  /** One of several words. */
  choice<T extends string, F extends T | undefined>(
    name: string,
    option: Described<F> & { readonly of: readonly T[] },
  ): T | F {
    const { fallback, help, of } = option;
    const text = this.#value(name, '<name>', { fallback, help: `${help}: ${of.join(', ')}` });
    if (text === undefined) return fallback;
    const found = of.find((word) => word === text);
    if (found !== undefined) return found;
    this.fail(`no ${name} "${text}"; there are ${of.join(', ')}`);
    return fallback;
  }

  /** True when it is named. */
  flag(name: string, help: string): boolean {
    this.#known.set(name, { type: 'boolean', line: lineOf(`--${name}`, help) });
    return this.#argv.includes(`--${name}`);
  }

  /** Notes what is wrong, for `end` to say; the first problem is the one that is said. */
  fail(problem: string): void {
    this.#problem ??= problem;
  }

  /** How the program must end before it begins; undefined when all is well. */
  ending(): Ending | undefined {
    const { command, purpose } = this.#usage;
    const lines = [...this.#known.values()].map(({ line }) => line);
    const list = ['options:', ...lines, lineOf('--help', 'this list'), ''].join('\n');
    if (this.#argv.includes('--help')) return { code: 0, text: `${command}: ${purpose}\n${list}` };
    const problem = this.#problem ?? this.#unknownWord();
    return problem === undefined ? undefined : { code: WRONG_USE, text: `${command}: ${problem}\n${list}` };
  }

  /** After the last option: prints and ends the program when something is wrong, or help is wanted. */
  end(): void {
    const ending = this.ending();
    if (ending === undefined) return;
    (ending.code === 0 ? process.stdout : process.stderr).write(ending.text);
    process.exit(ending.code);
  }

  #value(name: string, shown: string, { fallback, help }: Described<unknown>): string | undefined {
    const usual = fallback === undefined ? '' : ` (default ${String(fallback)})`;
    this.#known.set(name, { type: 'string', line: lineOf(`--${name} ${shown}`, `${help}${usual}`) });
    const value = this.#parsed({ [name]: { type: 'string' } }).values[name];
    if (typeof value === 'string' && !value.startsWith('--')) return value;
    if (value !== undefined) this.fail(`--${name} needs a value`);
    return undefined;
  }

  #number(
    name: string,
    text: string,
    { least = 0, fraction = false }: Partial<NumberOption<unknown>>,
  ): number {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    const fits = Number.isFinite(value) && value >= least && (fraction || Number.isSafeInteger(value));
    if (!fits) this.fail(`--${name} "${text}" is no ${fraction ? '' : 'whole '}number of at least ${least}`);
    return value;
  }

  #unknownWord(): string | undefined {
    const known = Object.fromEntries([...this.#known].map(([name, { type }]) => [name, { type }]));
    for (const token of this.#parsed(known).tokens) {
      if (token.kind === 'option-terminator') return 'there is no option --';
      if (token.kind === 'positional') return `there is no option ${token.value}`;
      const type = known[token.name]?.type;
      if (type === undefined || (type === 'boolean' && token.inlineValue === true))
        return `there is no option ${this.#argv[token.index]}`;
    }
    return undefined;
  }

  /** What is not among these options is no error yet: not all may have been asked for. */
  #parsed(options: Readonly<Record<string, Pick<Known, 'type'>>>) {
    return parseArgs({
      args: [...this.#argv],
      options,
      strict: false,
      allowPositionals: true,
      tokens: true,
    });
  }
}

function lineOf(option: string, help: string): string {
  return `  ${option.padEnd(NAME_COLUMN)} ${help}`;
}
