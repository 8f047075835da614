import type { ErrorKind } from '../../framework/errors.ts';

/** Failures of feegrant, numbered as x/feegrant numbers them. */
export const feegrantErrors: Readonly<
  Record<
    'limitExceeded' | 'expired' | 'invalidDuration' | 'noAllowance' | 'noMessages' | 'messageNotAllowed',
    ErrorKind
  >
> = {
  limitExceeded: { codespace: 'feegrant', code: 2, description: 'fee limit exceeded' },
  expired: { codespace: 'feegrant', code: 3, description: 'fee allowance expired' },
  invalidDuration: { codespace: 'feegrant', code: 4, description: 'invalid duration' },
  noAllowance: { codespace: 'feegrant', code: 5, description: 'no allowance' },
  noMessages: { codespace: 'feegrant', code: 6, description: 'allowed messages are empty' },
  messageNotAllowed: { codespace: 'feegrant', code: 7, description: 'message not allowed' },
};
