/** A stock CosmJS wallet and client for an account of a devnet. */
import { DirectSecp256k1HdWallet } from '@cosmjs/proto-signing';
import { GasPrice, SigningStargateClient } from '@cosmjs/stargate';
import { connectComet } from '@cosmjs/tendermint-rpc';
import type { DevnetAccount } from '../../cli/devnet/record.ts';
import type { ReadyEvent } from './program.ts';

const POLL_MS = 100;

/** A client that signs for an account; CosmJS picks its dialect from `/status`. */
export async function signingClient(
  chain: ReadyEvent,
  account: DevnetAccount,
  rpc: string,
): Promise<SigningStargateClient> {
  const wallet = await DirectSecp256k1HdWallet.fromMnemonic(account.mnemonic, { prefix: chain.prefix });
  return SigningStargateClient.createWithSigner(await connectComet(rpc), wallet, {
    gasPrice: GasPrice.fromString(`0.01${chain.denom}`),
    broadcastPollIntervalMs: POLL_MS,
  });
}
