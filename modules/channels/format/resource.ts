/** What a request is named by: whoever has a voucher for one request cannot use it for another. */
import { concatBytes, utf8 } from '../../../core/bytes.ts';
import { sha256 } from '../../../core/hash.ts';
import { domain, sized, text } from './encoding.ts';

const DOMAIN = domain('resource');

/** A request over HTTP. */
export interface RequestName {
  /** In capitals. */
  readonly method: string;
  /** Absolute, as the server knows itself. */
  readonly url: string;
  readonly body: Uint8Array;
  /** Of the offer that is accepted, such as its id; may be empty. */
  readonly offer: Uint8Array;
  /** Fresh for each request that shall be paid anew. */
  readonly nonce: Uint8Array;
}

/**
 * SHA-256 of the domain `openledger/channels/resource`, the method behind its length, the SHA-256 of the URL
 * and of the body, the offer and the nonce behind theirs.
 */
export function resourceOf({ method, url, body, offer, nonce }: RequestName): Uint8Array {
  return sha256(
    concatBytes(DOMAIN, text(method), sha256(utf8(url)), sha256(body), sized(offer), sized(nonce)),
  );
}
