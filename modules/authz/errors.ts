import type { ErrorKind } from '../../framework/errors.ts';

/** Failures of authz, numbered as x/authz numbers them. */
export const authzErrors: Readonly<
  Record<
    'notFound' | 'invalidExpiration' | 'grantKeyNotFound' | 'expired' | 'granteeIsGranter' | 'signers',
    ErrorKind
  >
> = {
  notFound: { codespace: 'authz', code: 2, description: 'authorization not found' },
  invalidExpiration: {
    codespace: 'authz',
    code: 3,
    description: 'expiration time of authorization should be more than current time',
  },
  grantKeyNotFound: { codespace: 'authz', code: 5, description: 'grant key not found' },
  expired: { codespace: 'authz', code: 6, description: 'authorization expired' },
  granteeIsGranter: { codespace: 'authz', code: 7, description: 'grantee and granter should be different' },
  signers: {
    codespace: 'authz',
    code: 9,
    description: 'authorization can be given to msg with only one signer',
  },
};
