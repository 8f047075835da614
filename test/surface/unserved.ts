/** Has its place in the design. */
const NOT_BUILT = 'not built yet';

/**
 * Why methods of the Cosmos services are not served: by method, or by service where none of it is. The test
 * fails for a reason without such a method, and for such a method without a reason.
 */
export const UNSERVED: Readonly<Record<string, string>> = {
  'cosmos.base.reflection.v2alpha1.ReflectionService': NOT_BUILT,
  'cosmos.tx.v1beta1.Service/TxEncodeAmino':
    'needs the binary amino of every message, which nothing else here reads or writes',
  'cosmos.tx.v1beta1.Service/TxDecodeAmino':
    'needs the binary amino of every message, which nothing else here reads or writes',
};
