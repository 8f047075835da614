/** What several settings may be. */
import { parseListenAddress } from './address.ts';
import { orUndefined } from './field.ts';

/** See `Field.allowed`. */
export interface Rule {
  readonly allowed: string;
  readonly accepts: (value: string) => boolean;
}

/** Where a server listens. */
export const listenRule: Rule = {
  allowed: 'an address such as "tcp://127.0.0.1:26657"',
  accepts: (value: string): boolean => orUndefined(() => parseListenAddress(value)) !== undefined,
};

/** The path of a file. */
export const fileRule: Rule = {
  allowed: 'the path of a file',
  accepts: (value: string): boolean => value !== '',
};
