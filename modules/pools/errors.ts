import type { ErrorKind } from '../../framework/errors.ts';

/** Failures of pools. Numbers are never reused. */
export const poolErrors: Readonly<
  Record<
    | 'invalidSlots'
    | 'tooManySlots'
    | 'unknownPool'
    | 'unknownSlot'
    | 'notOwner'
    | 'nothingOwed'
    | 'invalidAutoClaim'
    | 'poolClosed'
    | 'poolFull',
    ErrorKind
  >
> = {
  invalidSlots: kind(2, 'invalid slots'),
  tooManySlots: kind(3, 'too many slots'),
  unknownPool: kind(4, 'unknown pool'),
  unknownSlot: kind(5, 'unknown slot'),
  notOwner: kind(6, 'not the owner'),
  nothingOwed: kind(7, 'nothing is owed'),
  invalidAutoClaim: kind(8, 'invalid automatic claim'),
  poolClosed: kind(9, 'pool is closed'),
  poolFull: kind(10, 'pool is full'),
};

function kind(code: number, description: string): ErrorKind {
  return { codespace: 'pools', code, description };
}
