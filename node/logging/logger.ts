/**
 * Structured logs: JSON lines by pino for machines, or one plain line for people. Every part of the node
 * gets its own logger by injection, named after its module; the level policy is by module.
 */
import { createRequire } from 'node:module';
import { toUpperHex } from '../../core/bytes.ts';
import { isEnabled, type LevelPolicy, type LogLevel } from './levels.ts';

/** What a line is about. Never secrets. */
export type LogFacts = Readonly<Record<string, unknown>>;

/** Writes lines of one module. */
export interface Logger {
  debug(facts: LogFacts, message: string): void;
  info(facts: LogFacts, message: string): void;
  warn(facts: LogFacts, message: string): void;
  error(facts: LogFacts, message: string): void;
}

/** The logger of a module. */
export type Logging = (module: string) => Logger;

/** Where and how to write. */
export interface LoggingOptions {
  readonly format: 'plain' | 'json';
  readonly policy: LevelPolicy;
  /** Takes one line with its line break. */
  readonly write: (line: string) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

type WrittenLevel = Exclude<LogLevel, 'trace' | 'none'>;
/** Characters of one fact in a line; what is longer is cut. */
const FACT_CHARACTERS_MAX = 500;
const SHORT_NAMES: Readonly<Record<WrittenLevel, string>> = {
  debug: 'DBG',
  info: 'INF',
  warn: 'WRN',
  error: 'ERR',
};

/** Makes the loggers of one process. */
export function createLogging(options: LoggingOptions): Logging {
  const writeLine = options.format === 'json' ? jsonWriter(options) : plainWriter(options);
  return (module) => {
    const threshold = options.policy(module);
    const at =
      (level: WrittenLevel) =>
      (facts: LogFacts, message: string): void => {
        if (isEnabled(level, threshold)) writeLine(level, { module, message, facts: printable(facts) });
      };
    return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  };
}

interface Line {
  readonly module: string;
  readonly message: string;
  readonly facts: LogFacts;
}

type LineWriter = (level: WrittenLevel, line: Line) => void;

function jsonWriter(options: LoggingOptions): LineWriter {
  // Loaded here: a node that writes for people starts without it.
  const { pino }: typeof import('pino') = createRequire(import.meta.url)('pino');
  const json = pino(
    {
      level: 'trace',
      base: null,
      timestamp: () => `,"time":"${new Date(options.now()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: options.write },
  );
  return (level, line) => json[level]({ ...line.facts, module: line.module }, line.message);
}

function plainWriter(options: LoggingOptions): LineWriter {
  return (level, line) => {
    const time = new Date(options.now()).toISOString().slice(11, 23);
    const facts = Object.entries(line.facts).map(([key, value]) => ` ${key}=${plainValue(value)}`);
    options.write(`${time} ${SHORT_NAMES[level]} ${line.module}: ${line.message}${facts.join('')}\n`);
  };
}

function plainValue(value: unknown): string {
  const written = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'undefined');
  const short = written.length > FACT_CHARACTERS_MAX ? `${written.slice(0, FACT_CHARACTERS_MAX)}…` : written;
  return /[\s"=\p{C}]/u.test(short) ? JSON.stringify(short) : short;
}

/** bigint as decimal text, bytes as hexadecimal, errors as their message, also in lists; the rest as it is. */
function printable(facts: LogFacts): LogFacts {
  return Object.fromEntries(Object.entries(facts).map(([key, value]) => [key, printableValue(value)]));
}

function printableValue(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Uint8Array) return toUpperHex(value.subarray(0, FACT_CHARACTERS_MAX / 2));
  if (value instanceof Error) return value.message;
  if (Array.isArray(value)) return value.map(printableValue);
  return value;
}
