/** Where the files of a node lie. */
import { isAbsolute, join } from 'node:path';
import type { NodeConfig } from './config.ts';

/** The files of a home that do not depend on its configuration. */
export interface HomePaths {
  readonly home: string;
  readonly configDir: string;
  readonly dataDir: string;
  readonly configFile: string;
  readonly appConfigFile: string;
}

/** Paths under a home. */
export function homePaths(home: string): HomePaths {
  return {
    home,
    configDir: join(home, 'config'),
    dataDir: join(home, 'data'),
    configFile: join(home, 'config', 'config.toml'),
    appConfigFile: join(home, 'config', 'app.toml'),
  };
}

/** The files that `config.toml` names. */
export interface ConfiguredPaths {
  readonly genesisFile: string;
  readonly privValidatorKeyFile: string;
  readonly privValidatorStateFile: string;
  readonly nodeKeyFile: string;
  readonly addrBookFile: string;
}

/** The configured files as paths. */
export function configuredPaths(home: string, { base, p2p }: NodeConfig): ConfiguredPaths {
  const resolve = (file: string): string => (isAbsolute(file) ? file : join(home, file));
  return {
    genesisFile: resolve(base.genesisFile),
    privValidatorKeyFile: resolve(base.privValidatorKeyFile),
    privValidatorStateFile: resolve(base.privValidatorStateFile),
    nodeKeyFile: resolve(base.nodeKeyFile),
    addrBookFile: resolve(p2p.addrBookFile),
  };
}
