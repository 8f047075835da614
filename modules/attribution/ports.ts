import type { AddressCodec } from '../../framework/address.ts';
import type { DatanetView } from '../datanet/types.ts';

/** What attribution needs from the rest of the application. */
export interface AttributionPorts {
  readonly addresses: AddressCodec;
  readonly datanets: DatanetView;
}
