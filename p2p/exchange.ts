/** The messages by which nodes tell each other of nodes. */
import { DecodeError } from '../core/errors.ts';
import { AddressesRequest, AddressesResponse } from '../proto/gen/openledger/p2p/v1/p2p.ts';
import { type PeerAddress, parseAddress } from './address.ts';
import { ADDRESSES_BYTES_MAX, ADDRESSES_MAX } from './exchange-limits.ts';

/** Asks for so many addresses. */
export function encodeAddressesRequest(addressesMax: number): Uint8Array {
  return AddressesRequest.encode({ addressesMax });
}

/**
 * How many addresses are wanted.
 * @throws DecodeError when it is not a request, for one an answer that nobody asked for
 */
export function decodeAddressesRequest(bytes: Uint8Array): number {
  const { addressesMax } = AddressesRequest.decode(bytes);
  if (addressesMax < 1 || addressesMax > ADDRESSES_MAX)
    throw new DecodeError(`request for ${addressesMax} addresses, not 1 to ${ADDRESSES_MAX}`);
  return addressesMax;
}

/** Answers with addresses. */
export function encodeAddressesResponse(addresses: readonly PeerAddress[]): Uint8Array {
  return AddressesResponse.encode({ addresses: addresses.map(({ text }) => text) });
}

/**
 * The addresses of an answer, each in its one spelling, counted as they are read.
 * @throws DecodeError when there are more than were wanted, one twice, or one that is malformed
 */
export function decodeAddressesResponse(bytes: Uint8Array, addressesMax: number): readonly PeerAddress[] {
  if (bytes.length > ADDRESSES_BYTES_MAX)
    throw new DecodeError('answer with addresses is over the limit', { length: bytes.length });
  const { addresses } = AddressesResponse.decode(bytes, { elementsMax: addressesMax });
  const told = new Map<string, PeerAddress>();
  for (const text of addresses) {
    const address = parseAddress(text);
    if (address?.text !== text) throw new DecodeError('answer with a malformed address');
    if (told.has(text)) throw new DecodeError('answer with an address twice');
    told.set(text, address);
  }
  return [...told.values()];
}
