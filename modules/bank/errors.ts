import type { ErrorKind } from '../../framework/errors.ts';

/** Failures of bank, numbered as x/bank numbers them. */
export const bankErrors: Readonly<
  Record<
    | 'noInputs'
    | 'noOutputs'
    | 'inputOutputMismatch'
    | 'sendDisabled'
    | 'metadataNotFound'
    | 'duplicateEntry'
    | 'multipleSenders',
    ErrorKind
  >
> = {
  noInputs: { codespace: 'bank', code: 2, description: 'no inputs to send transaction' },
  noOutputs: { codespace: 'bank', code: 3, description: 'no outputs to send transaction' },
  inputOutputMismatch: { codespace: 'bank', code: 4, description: 'sum inputs != sum outputs' },
  sendDisabled: { codespace: 'bank', code: 5, description: 'send transactions are disabled' },
  metadataNotFound: { codespace: 'bank', code: 6, description: 'client denom metadata not found' },
  duplicateEntry: { codespace: 'bank', code: 8, description: 'duplicate entry' },
  multipleSenders: { codespace: 'bank', code: 9, description: 'multiple senders not allowed' },
};
