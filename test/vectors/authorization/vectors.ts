/** What is signed of authorisations, frozen: see README.md. */
import type {
  AuthorizationCancellation,
  InferenceAuthorization,
  TransferAuthorization,
} from '../../../proto/gen/openledger/payments/v1/authorization.ts';
import { fromHex } from '../../../core/bytes.ts';

const A = 'open1qypqxpq9qcrsszg2pvxq6rs0zqg3yyc5s4zgxu';
const B = 'open1zcxzyg3ydgjpqypqxpq9qcrsszg2pvxq6rs0zq';
const NONCE = fromHex('78377b525757b494427f89014f97d79928f3938d14eb51e20fb5dec9834eb304');
const RESOURCE = fromHex('5de95319f17467ed6dc58e4e0b16c1193a13b35d60dc48bcf06bf6b7beebbe6c');

/** What is signed, as hex and as text. */
interface Signed {
  readonly bytes: string;
  readonly text: string;
}

/** A transfer. */
export const TRANSFER: Signed & { readonly authorization: TransferAuthorization } = {
  authorization: {
    chainId: 'openledger-1',
    from: A,
    to: B,
    amount: { denom: 'uopen', amount: '1250000' },
    validAfter: 1700000000n,
    validBefore: 1700000600n,
    nonce: NONCE,
    resourceHash: RESOURCE,
  },
  ...{
    bytes:
      '6f70656e6c65646765722f7472616e736665722d617574686f72697a6174696f6e2f3100000000000000000c6f70656e6c65646765722d31000000000000002b6f70656e31717970717870713971637273737a673270767871367273307a7167337979633573347a677875000000000000002b6f70656e317a63787a7967337964676a70717970717870713971637273737a673270767871367273307a710000000000000005756f70656e0000000000000007313235303030300000000000000008000000006553f1000000000000000008000000006553f358000000000000002078377b525757b494427f89014f97d79928f3938d14eb51e20fb5dec9834eb30400000000000000205de95319f17467ed6dc58e4e0b16c1193a13b35d60dc48bcf06bf6b7beebbe6c',
    text: [
      'OpenLedger: pay by authorisation',
      'chain: openledger-1',
      'from: open1qypqxpq9qcrsszg2pvxq6rs0zqg3yyc5s4zgxu',
      'to: open1zcxzyg3ydgjpqypqxpq9qcrsszg2pvxq6rs0zq',
      'amount: 1250000 uopen',
      'valid after: 2023-11-14T22:13:20Z',
      'valid before: 2023-11-14T22:23:20Z',
      'nonce: 78377b525757b494427f89014f97d79928f3938d14eb51e20fb5dec9834eb304',
      'resource: 5de95319f17467ed6dc58e4e0b16c1193a13b35d60dc48bcf06bf6b7beebbe6c',
    ].join('\n'),
  },
};

/** An inference. */
export const INFERENCE: Signed & { readonly authorization: InferenceAuthorization } = {
  authorization: {
    chainId: 'openledger-1',
    from: A,
    payee: B,
    modelId: 7n,
    requestHash: RESOURCE,
    maxFee: { denom: 'uopen', amount: '90000' },
    validAfter: 0n,
    validBefore: 1700000600n,
  },
  ...{
    bytes:
      '6f70656e6c65646765722f696e666572656e63652d617574686f72697a6174696f6e2f3100000000000000000c6f70656e6c65646765722d31000000000000002b6f70656e31717970717870713971637273737a673270767871367273307a7167337979633573347a677875000000000000002b6f70656e317a63787a7967337964676a70717970717870713971637273737a673270767871367273307a710000000000000008000000000000000700000000000000205de95319f17467ed6dc58e4e0b16c1193a13b35d60dc48bcf06bf6b7beebbe6c0000000000000005756f70656e00000000000000053930303030000000000000000800000000000000000000000000000008000000006553f358',
    text: [
      'OpenLedger: pay for an inference by authorisation',
      'chain: openledger-1',
      'from: open1qypqxpq9qcrsszg2pvxq6rs0zqg3yyc5s4zgxu',
      'payee: open1zcxzyg3ydgjpqypqxpq9qcrsszg2pvxq6rs0zq',
      'model: 7',
      'request: 5de95319f17467ed6dc58e4e0b16c1193a13b35d60dc48bcf06bf6b7beebbe6c',
      'at most: 90000 uopen',
      'valid after: 1970-01-01T00:00:00Z',
      'valid before: 2023-11-14T22:23:20Z',
    ].join('\n'),
  },
};

/** A cancellation. */
export const CANCELLATION: Signed & { readonly cancellation: AuthorizationCancellation } = {
  cancellation: { chainId: 'openledger-1', from: A, nonce: NONCE, validBefore: 1700000600n },
  ...{
    bytes:
      '6f70656e6c65646765722f617574686f72697a6174696f6e2d63616e63656c6c6174696f6e2f3100000000000000000c6f70656e6c65646765722d31000000000000002b6f70656e31717970717870713971637273737a673270767871367273307a7167337979633573347a677875000000000000002078377b525757b494427f89014f97d79928f3938d14eb51e20fb5dec9834eb3040000000000000008000000006553f358',
    text: [
      'OpenLedger: cancel an authorisation',
      'chain: openledger-1',
      'from: open1qypqxpq9qcrsszg2pvxq6rs0zqg3yyc5s4zgxu',
      'nonce: 78377b525757b494427f89014f97d79928f3938d14eb51e20fb5dec9834eb304',
      'valid before: 2023-11-14T22:23:20Z',
    ].join('\n'),
  },
};

/** A signature by a wallet's code for `signArbitrary`. */
export const KEPLR: {
  readonly publicKey: string;
  readonly address: string;
  readonly text: string;
  readonly signature: string;
} = {
  publicKey: '024f4e2ad99c34d60b9ba6283c9431a8418af8673212961f97a77b6377fcd05b62',
  address: 'cosmos19rl4cm2hmr8afy4kldpxz3fka4jguq0auqdal4',
  text: 'cosmos me',
  signature:
    '01eb03d69c0e8ca0147939c00975c1078fbff0c3978848671fde7224ded0924556492b91ec2a8882181ef7b75c33b6f3e1d56b5512e3052abcbbdb0f44b3fbfb',
};
