import type { AddressCodec } from '../../framework/address.ts';

/** What datanet needs from the rest of the application. */
export interface DatanetPorts {
  readonly addresses: AddressCodec;
}
