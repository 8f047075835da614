/** The signer of a node: the two files of its home, or a process that dials in. */
import type { CoreOptions } from './node.ts';
import type { NodeEnvironment } from './environment.ts';
import type { Closers } from './node.ts';
import { FilePrivValidator } from './privval/file-priv-validator.ts';
import type { PrivValidator } from './privval/priv-validator.ts';
import { parseSignerAddress } from './privval/remote/address.ts';
import { RemoteSigner } from './privval/remote/remote-signer.ts';
import { checkSigningState } from './signing-state.ts';
import type { Stores } from './node-stores.ts';

const SEED_BYTES = 32;

/** A signer, and what to do before the engine stops: requests that wait for ever are given up. */
export interface OpenedSigner {
  readonly signer: PrivValidator;
  /**
   * Holds its state against the stored blocks; to be called before it signs.
   * @throws LedgerError `privval.*` when the state is older than they are
   */
  readonly check: (blocks: Stores['blocks']) => void;
  readonly release: () => Promise<void>;
}

/**
 * Opens the signer that the configuration names; a remote one has connected when this resolves.
 * @throws LedgerError `privval.*`
 */
export async function openSigner(
  options: Pick<CoreOptions, 'config' | 'paths' | 'genesis' | 'nodeKey' | 'logging'>,
  environment: NodeEnvironment,
  closers: Closers,
): Promise<OpenedSigner> {
  const { paths, config } = options;
  const address = config.base.privValidatorLaddr;
  if (address !== '') return openRemoteSigner(address, options, environment, closers);
  const signer = await FilePrivValidator.open({
    keyPath: paths.privValidatorKeyFile,
    statePath: paths.privValidatorStateFile,
    makeSigner: environment.makeSigner,
    files: environment.signerFiles,
  });
  return { signer, check: (blocks) => checkSigningState(signer, blocks), release: async () => undefined };
}

async function openRemoteSigner(
  text: string,
  { genesis, nodeKey, logging }: Pick<CoreOptions, 'genesis' | 'nodeKey' | 'logging'>,
  { verify, timers, makeSigner }: NodeEnvironment,
  closers: Closers,
): Promise<OpenedSigner> {
  const signer = await RemoteSigner.listen(
    {
      identity: makeSigner(nodeKey.slice(0, SEED_BYTES), 'ed25519'),
      verifyEd25519: (bytes, message, signature) => verify({ type: 'ed25519', bytes }, message, signature),
      verify,
      timers,
      log: logging('privval'),
    },
    { address: parseSignerAddress(text), chainId: genesis.chainId },
  );
  const release = (): Promise<void> => signer.close();
  closers.push(release);
  await signer.connected();
  return { signer, check: () => undefined, release };
}
