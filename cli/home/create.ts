/**
 * Makes the home of a node: configuration, keys, an empty data directory. The genesis is written by the
 * caller.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { LedgerError } from '../../core/errors.ts';
import type { AppConfig, NodeConfig } from '../../node/config/config.ts';
import { type ConfiguredPaths, configuredPaths, homePaths } from '../../node/config/home.ts';
import { writeAppConfig, writeNodeConfig } from '../../node/config/toml.ts';
import type { PublicKey } from '../../consensus/types/validator.ts';
import { ed25519Signer } from '../../node/crypto/ed25519.ts';
import { secp256k1Signer } from '../../node/crypto/secp256k1.ts';
import { FilePrivValidator } from '../../node/privval/file-priv-validator.ts';
import type { MakeKeySigner } from '../../node/privval/ports.ts';
import { createNodeKey } from './node-key.ts';
import { makeFolder, requireFolder } from './folder.ts';

const SEED_BYTES = 32;

/** Makes a signing key of a validator's secret. */
export const makeSigner: MakeKeySigner = (secret, type) =>
  type === 'ed25519' ? ed25519Signer(secret) : secp256k1Signer(secret);

/** What a home is made of. */
export interface HomeOptions {
  readonly home: string;
  readonly node: NodeConfig;
  readonly app: AppConfig;
  /** Of the validator key. Default: ed25519. */
  readonly keyType?: PublicKey['type'];
}

/** A home that was made. */
export interface CreatedHome {
  readonly paths: ConfiguredPaths;
  readonly validatorPublicKey: PublicKey;
  readonly peerId: string;
}

/**
 * Makes a home.
 * @throws LedgerError `home.exists` when there is a node already: keys are never overwritten
 */
export async function createHome(options: HomeOptions): Promise<CreatedHome> {
  const { peerIdOfKey } = await import('../../p2p/identity.ts');
  requireFolder(options.home);
  const home = homePaths(options.home);
  const paths = configuredPaths(options.home, options.node);
  for (const file of [home.configFile, paths.genesisFile, paths.nodeKeyFile, paths.privValidatorKeyFile]) {
    if (existsSync(file)) {
      throw new LedgerError(
        'home.exists',
        `${options.home} holds a node already (${file} exists); choose another --home`,
      );
    }
  }
  makeFolder(home.configDir);
  makeFolder(home.dataDir);
  writeFileSync(home.configFile, writeNodeConfig(options.node));
  writeFileSync(home.appConfigFile, writeAppConfig(options.app));
  const nodeKey = await createNodeKey(paths.nodeKeyFile);
  const validator = await FilePrivValidator.create(Uint8Array.from(randomBytes(SEED_BYTES)), {
    keyPath: paths.privValidatorKeyFile,
    statePath: paths.privValidatorStateFile,
    makeSigner,
    keyType: options.keyType ?? 'ed25519',
  });
  return { paths, validatorPublicKey: validator.publicKey, peerId: await peerIdOfKey(nodeKey) };
}
