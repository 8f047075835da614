/** What a gateway signs for a payer. docs/adr/0030. */
import { concatBytes, utf8 } from '../../../core/bytes.ts';

/**
 * The bytes under a receipt's signature, which is of ed25519: the receipt's leaf behind the chain and the
 * gateway that it is of.
 * @param gateway the address as it is registered
 * @param receipt the leaf: `encodeReceipt`
 */
export function receiptStatement(chainId: string, gateway: string, receipt: Uint8Array): Uint8Array {
  return concatBytes(utf8(`openledger/receipt/v1\0${chainId}\0${gateway}\0`), receipt);
}
