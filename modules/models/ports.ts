import type { AddressCodec } from '../../framework/address.ts';
import type { DatanetView } from '../datanet/types.ts';

/** What models needs from the rest of the application. */
export interface ModelPorts {
  readonly addresses: AddressCodec;
  readonly datanets: DatanetView;
}
