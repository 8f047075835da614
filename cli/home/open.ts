/** Reads the configuration of a home. */
import { existsSync, readFileSync } from 'node:fs';
import { LedgerError } from '../../core/errors.ts';
import type { AppConfig, NodeConfig } from '../../node/config/config.ts';
import { type ConfiguredPaths, configuredPaths, homePaths } from '../../node/config/home.ts';
import { readAppConfig, readNodeConfig } from '../../node/config/toml.ts';
import { requireFolder } from './folder.ts';

/** A home with its settings. */
export interface OpenedHome {
  readonly home: string;
  readonly dataDir: string;
  readonly paths: ConfiguredPaths;
  readonly node: NodeConfig;
  readonly app: AppConfig;
  /** What in the files has no effect: one sentence each. */
  readonly warnings: readonly string[];
}

/**
 * Reads and checks both configuration files.
 * @throws LedgerError `home.missing`, `config.syntax`, `config.value`
 */
export function openHome(home: string): OpenedHome {
  requireFolder(home);
  const files = homePaths(home);
  if (!existsSync(files.configFile)) {
    throw new LedgerError(
      'home.missing',
      `there is no node in ${home} (no ${files.configFile}); make one with init`,
    );
  }
  const node = readNodeConfig({ file: files.configFile, text: readFileSync(files.configFile, 'utf8') });
  const appText = existsSync(files.appConfigFile) ? readFileSync(files.appConfigFile, 'utf8') : '';
  const app = readAppConfig({ file: files.appConfigFile, text: appText });
  return {
    home,
    dataDir: files.dataDir,
    paths: configuredPaths(home, node.config),
    node: node.config,
    app: app.config,
    warnings: [...node.warnings, ...app.warnings],
  };
}
