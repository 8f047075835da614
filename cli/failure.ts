/**
 * How a command fails: one clear sentence on standard error and exit code 1; the stack only with `--trace`.
 */
import { LedgerError, messageOf } from '../core/errors.ts';

/** An error that a user caused and can mend. */
export function usageError(message: string): LedgerError {
  return new LedgerError('cli.usage', message);
}

/** The sentence for an error, with its causes where they add something. */
export function sentenceOf(error: unknown): string {
  const parts = [messageOf(error)];
  let cause = error instanceof Error ? error.cause : undefined;
  while (cause instanceof Error && parts.length < 4) {
    const { message } = cause;
    // Of the system: "ENOENT: …, open '/a'" says again what a sentence with its code in brackets has said.
    const said = [message, `(${'code' in cause ? cause.code : ''})`];
    if (message !== '' && !parts.some((part) => said.some((each) => part.includes(each))))
      parts.push(message);
    cause = cause.cause;
  }
  const sentence = parts.map((part, i) => (i < parts.length - 1 ? part.replace(/\.$/, '') : part)).join(': ');
  return sentence.replace(/\s*\n\s*/g, ' ');
}

/** What to print for a failed command. */
export function failureText(error: unknown, trace: boolean): string {
  const sentence = `openledgerd: ${sentenceOf(error)}\n`;
  return trace && error instanceof Error ? `${sentence}${error.stack ?? ''}\n` : sentence;
}

/** The code of a system error such as `EADDRINUSE`; undefined for other errors. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error instanceof LedgerError) {
    const { system } = error.facts;
    return typeof system === 'string' ? system : (systemCode(error.cause) ?? error.code);
  }
  if ('code' in error && typeof error.code === 'string') return error.code;
  return systemCode(error.cause);
}
