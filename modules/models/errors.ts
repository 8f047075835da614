import type { ErrorKind } from '../../framework/errors.ts';

/** Failures of models. Numbers are never reused. */
export const modelErrors: Readonly<
  Record<
    | 'invalidModel'
    | 'invalidPrice'
    | 'invalidSplit'
    | 'unknownModel'
    | 'unknownSnapshot'
    | 'unknownParent'
    | 'lineageTooLarge'
    | 'methodNotSupported',
    ErrorKind
  >
> = {
  invalidModel: kind(2, 'invalid model'),
  invalidPrice: kind(3, 'invalid price'),
  invalidSplit: kind(4, 'invalid split policy'),
  unknownModel: kind(5, 'unknown model'),
  unknownSnapshot: kind(6, 'unknown snapshot'),
  unknownParent: kind(7, 'unknown parent model'),
  lineageTooLarge: kind(8, 'lineage is too large'),
  methodNotSupported: kind(9, 'attribution method is not supported'),
};

function kind(code: number, description: string): ErrorKind {
  return { codespace: 'models', code, description };
}
