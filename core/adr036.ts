/**
 * What people sign off the chain, with a wallet. Source: Cosmos SDK docs/architecture/adr-036, as wallets carry
 * it out (@keplr-wallet/cosmos `makeADR36AminoSignDoc`).
 */
import { toBase64, utf8 } from './bytes.ts';

/**
 * What a wallet signs for `signArbitrary(chainId, signer, text)`: `MsgSignData` as amino JSON with sorted keys.
 * Its chain id is empty and all its numbers are 0, so that it is no transaction anywhere; nothing in it needs
 * escapes.
 * @param signer address of the key that signs, in bech32
 */
export function adr036SignBytes(signer: string, text: string): Uint8Array {
  const data = toBase64(utf8(text));
  const message = `{"type":"sign/MsgSignData","value":{"data":"${data}","signer":"${signer}"}}`;
  const fee = '{"amount":[],"gas":"0"}';
  return utf8(
    `{"account_number":"0","chain_id":"","fee":${fee},"memo":"","msgs":[${message}],"sequence":"0"}`,
  );
}
