import type { AddressCodec } from '../framework/address.ts';
import { coinsToString } from '../framework/coins.ts';
import { attribute, type Event, eventOf } from '../framework/events.ts';
import type { DecodedTx } from '../framework/tx/decode.ts';

/**
 * What CheckTx tells the mempool of a transaction that it accepts: its fee, and its signers with their
 * sequences; of unordered ones only the fee, so that they wait for nobody. They are the ante chain's events; its other events nobody sees in CheckTx.
 */
export function admissionEvents(tx: DecodedTx, addresses: AddressCodec): readonly Event[] {
  return [
    eventOf('tx', attribute('fee', coinsToString(tx.fee.coins))),
    ...(tx.unordered ? [] : tx.required).map((address, i) =>
      eventOf('tx', attribute('acc_seq', `${addresses.toText(address)}/${tx.signers[i]?.sequence ?? 0n}`)),
    ),
  ];
}
