/** Limits of peer exchange. A file of their own: the catalogue of channels needs no addresses, only their size. */

/** Longest address that is looked at. */
export const ADDRESS_CHARACTERS_MAX = 160;

/** Addresses in one answer. */
export const ADDRESSES_MAX = 100;

/** Bytes of the longest answer: each address has a tag and a length of two bytes. */
export const ADDRESSES_BYTES_MAX: number = ADDRESSES_MAX * (ADDRESS_CHARACTERS_MAX + 3);
