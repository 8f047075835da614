/** An error of the node: a stable code, the facts it is about, and a sentence for a person. */
export class LedgerError extends Error {
  /** Stable, dotted, lower case: `store.version_missing`. Programs switch on it. */
  readonly code: string;
  /** Facts the message was made of. Never secrets, never raw bytes from a peer. */
  readonly facts: Readonly<Record<string, unknown>>;

  constructor(code: string, message: string, facts: Readonly<Record<string, unknown>> = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'LedgerError';
    this.code = code;
    this.facts = facts;
  }
}

/**
 * A broken invariant: our own bug. Inside a transaction it rolls back, at a block boundary it stops the node.
 */
export class AssertionError extends LedgerError {
  constructor(message: string, facts: Readonly<Record<string, unknown>> = {}) {
    super('assert', message, facts);
    this.name = 'AssertionError';
  }
}

/** Bytes or text from outside that are not what they should be. */
export class DecodeError extends LedgerError {
  constructor(message: string, facts: Readonly<Record<string, unknown>> = {}, cause?: unknown) {
    super('decode', message, facts, cause);
    this.name = 'DecodeError';
  }
}

/**
 * States an invariant.
 * @throws AssertionError when it does not hold
 */
export function assert(
  condition: boolean,
  message: string,
  facts?: Readonly<Record<string, unknown>>,
): asserts condition {
  if (!condition) throw new AssertionError(message, facts);
}

/** The last arm of an exhaustive switch: the compiler proves that it is not reached. */
export function unreachable(value: never, what: string): never {
  throw new AssertionError(`unexpected ${what}`, { value });
}

/**
 * The value that the caller knows to be there.
 * @throws AssertionError when it is undefined
 */
export function defined<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new AssertionError(`missing ${what}`);
  return value;
}

/** The message of whatever was thrown, for a log line or an error sentence. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
