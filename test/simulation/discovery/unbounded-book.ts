/** A bug put in on purpose: the address book has no limits. */
import type { NodeEnvironment } from '../../../node/environment.ts';
import { DEFAULT_ADDRESS_BOOK } from '../../../p2p/address-book.ts';

/** A node that notes whatever it is told. */
export function unboundedBook(environment: NodeEnvironment): NodeEnvironment {
  const max = Number.MAX_SAFE_INTEGER;
  return {
    ...environment,
    addressBook: {
      ...DEFAULT_ADDRESS_BOOK,
      newMax: max,
      triedMax: max,
      newPerSourceMax: max,
      newPerSourceGroupMax: max,
      perGroupMax: max,
    },
  };
}
