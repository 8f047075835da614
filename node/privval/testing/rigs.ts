/** The same file signer, reached in three ways. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { utf8 } from '../../../core/bytes.ts';
import { sha256 } from '../../../core/hash.ts';
import { systemTimers } from '../../../p2p/timers.ts';
import type { DurableFiles } from '../durable-file.ts';
import { FilePrivValidator, type FilePrivValidatorOptions } from '../file-priv-validator.ts';
import type { KeyType } from '../ports.ts';
import type { ExtendingPrivValidator, PrivValidator } from '../priv-validator.ts';
import type { SignerAddress } from '../remote/address.ts';
import { type DialPorts, dialNode } from '../remote/dial.ts';
import {
  DEFAULT_SIGNER_TIMES,
  RemoteSigner,
  type RemoteSignerPorts,
  type SignerTimes,
} from '../remote/remote-signer.ts';
import { SignerServer } from '../remote/signer-server.ts';
import { CrashFiles } from './crash-files.ts';
import { CHAIN, SECRET } from './requests.ts';

/** A signer of a new key. */
export interface Rig {
  readonly signer: PrivValidator;
  readonly files: CrashFiles;
  /** Kills the process that holds the key, and starts it again. */
  restart(): Promise<PrivValidator>;
  close(): Promise<void>;
}

/** What signs and verifies: components of the node do not import each other, so tests bring it. */
export interface RigCrypto extends Pick<FilePrivValidatorOptions, 'makeSigner'> {
  readonly verify: RemoteSignerPorts['verify'];
}

/** Starts a rig. */
export type StartRig = (keyType: KeyType) => Promise<Rig>;

/** No lines. */
export const SILENT: Record<'debug' | 'info' | 'warn', () => void> = {
  debug: () => {},
  info: () => {},
  warn: () => {},
};

const optionsFor = (crypto: RigCrypto, files: DurableFiles): FilePrivValidatorOptions => ({
  keyPath: '/v/key.json',
  statePath: '/v/state.json',
  makeSigner: crypto.makeSigner,
  files,
});

/** The file signer itself. */
export function inProcess(crypto: RigCrypto): StartRig {
  return async (keyType) => {
    const files = new CrashFiles();
    const options = optionsFor(crypto, files);
    const signer = await FilePrivValidator.create(SECRET, { ...options, keyType });
    return { signer, files, restart: () => FilePrivValidator.open(options), close: async () => {} };
  };
}

/** A new unix socket, or any free port. */
export function newAddress(kind: SignerAddress['kind']): SignerAddress {
  if (kind === 'tcp') return { kind, host: '127.0.0.1', port: 0, nodeId: undefined };
  return { kind, path: join(mkdtempSync(join(tmpdir(), 'privval-')), 's') };
}

/** The ports of the node's side. */
export function nodePorts(crypto: RigCrypto): RemoteSignerPorts {
  return {
    ...dialPorts(crypto, 'node'),
    verifyEd25519: dialPorts(crypto, '').verify,
    verify: crypto.verify,
    log: SILENT,
  };
}

/** The ports of whoever dials. */
export function dialPorts(crypto: RigCrypto, name: string): DialPorts {
  return {
    identity: crypto.makeSigner(sha256(utf8(`connection key ${name}`)), 'ed25519'),
    verify: (bytes, message, signature) => crypto.verify({ type: 'ed25519', bytes }, message, signature),
    timers: systemTimers,
  };
}

/** A node's signer behind a socket, as in production but for the process boundary. */
export function overSocket(
  crypto: RigCrypto,
  kind: SignerAddress['kind'],
  times: SignerTimes = DEFAULT_SIGNER_TIMES,
): StartRig {
  return async (keyType) => {
    const files = new CrashFiles();
    const options = optionsFor(crypto, files);
    const signer = await RemoteSigner.listen(nodePorts(crypto), {
      address: newAddress(kind),
      chainId: CHAIN,
      times,
    });
    const serve = (held: FilePrivValidator): SignerServer => startServer(crypto, held, signer.listensAt);
    let server = serve(await FilePrivValidator.create(SECRET, { ...options, keyType }));
    await signer.connected();
    return {
      signer,
      files,
      restart: async () => {
        server.stop();
        server = serve(await FilePrivValidator.open(options));
        return signer;
      },
      close: async () => {
        server.stop();
        await signer.close();
      },
    };
  };
}

/** A signer that dials an address for the chain of the tests. */
export function startServer(
  crypto: RigCrypto,
  signer: ExtendingPrivValidator,
  address: SignerAddress,
  chainId: string = CHAIN,
): SignerServer {
  const dial = (): ReturnType<typeof dialNode> => dialNode(dialPorts(crypto, 'signer'), address);
  const server = new SignerServer(
    { signer, dial, timers: systemTimers, random: () => 0, log: SILENT },
    chainId,
  );
  void server.run();
  return server;
}
