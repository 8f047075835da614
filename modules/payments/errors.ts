import type { ErrorKind } from '../../framework/errors.ts';

/** Failures of payments; those of the claim in a payment are attribution's. Numbers are never reused. */
export const paymentErrors: Readonly<
  Record<
    'invalidPayment' | 'unknownModel' | 'wrongDenom' | 'feeAboveMax' | 'requestPaid' | 'tooManyTokens',
    ErrorKind
  >
> = {
  invalidPayment: kind(2, 'invalid payment'),
  unknownModel: kind(3, 'unknown model'),
  wrongDenom: kind(4, 'wrong denomination'),
  feeAboveMax: kind(5, 'fee is above max_fee'),
  requestPaid: kind(6, 'request was paid before'),
  tooManyTokens: kind(7, 'too many tokens'),
};

function kind(code: number, description: string): ErrorKind {
  return { codespace: 'payments', code, description };
}
