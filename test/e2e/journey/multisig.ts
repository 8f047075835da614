/** An account of several wallets, each of which signs on its own; CosmJS puts together what they signed. */
import {
  createMultisigThresholdPubkey,
  encodeSecp256k1Pubkey,
  pubkeyToAddress,
  Secp256k1HdWallet,
} from '@cosmjs/amino';
import { DirectSecp256k1HdWallet, type EncodeObject } from '@cosmjs/proto-signing';
import {
  type DeliverTxResponse,
  makeMultisignedTxBytes,
  SigningStargateClient,
  StargateClient,
} from '@cosmjs/stargate';
import { FEE, type SigningKind } from './traveller.ts';

const POLL_MS = 200;
const PREFIX = 'open';

/** The account. */
export interface Multisig {
  readonly address: string;
  /** Sends messages that the members of those places signed. */
  broadcast(
    messages: readonly EncodeObject[],
    places: readonly number[],
    kind?: SigningKind,
  ): Promise<DeliverTxResponse>;
}

/** Makes one of new wallets. */
export async function multisigOf(
  rpc: string,
  { threshold, count }: { readonly threshold: number; readonly count: number },
): Promise<Multisig> {
  const wallets = await Promise.all(
    Array.from({ length: count }, () => Secp256k1HdWallet.generate(12, { prefix: PREFIX })),
  );
  const members = await Promise.all(
    wallets.map(async (wallet) => {
      const [account] = await wallet.getAccounts();
      if (account === undefined) throw new Error('the wallet is empty');
      return { wallet, ...account };
    }),
  );
  const keys = members.map(({ pubkey }) => encodeSecp256k1Pubkey(pubkey));
  const key = createMultisigThresholdPubkey(keys, threshold);
  const address = pubkeyToAddress(key, PREFIX);
  return {
    address,
    broadcast: async (messages, places, kind = 'amino') => {
      const client = await StargateClient.connect(rpc);
      const signer = { ...(await client.getSequence(address)), chainId: await client.getChainId() };
      const signatures = new Map<string, Uint8Array>();
      let body: Uint8Array = new Uint8Array();
      for (const member of places.flatMap((place) => members.slice(place, place + 1))) {
        const { mnemonic } = member.wallet;
        const wallet =
          kind === 'amino'
            ? member.wallet
            : await DirectSecp256k1HdWallet.fromMnemonic(mnemonic, { prefix: PREFIX });
        const offline = await SigningStargateClient.offline(wallet);
        const signed = await offline.sign(member.address, messages, FEE, '', signer);
        signatures.set(member.address, signed.signatures[0] ?? new Uint8Array());
        body = signed.bodyBytes;
      }
      const tx = makeMultisignedTxBytes(key, signer.sequence, FEE, body, signatures);
      return client.broadcastTx(tx, undefined, POLL_MS);
    },
  };
}
