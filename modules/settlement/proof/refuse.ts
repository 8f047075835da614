/** What verifiers of epochs throw. */
import { DecodeError } from '../../../core/errors.ts';

/** @throws DecodeError always: the fraud shows nothing */
export function refuse(why: string): never {
  throw new DecodeError(`epoch: ${why}`);
}

/** A decoded leaf. @throws DecodeError when it was malformed, for which there is a rule of its own */
export function wellFormed<T>(leaf: T | undefined): T {
  return leaf ?? refuse('an opened leaf is malformed: convict it of that');
}
