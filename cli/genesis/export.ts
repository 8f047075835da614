import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createApp } from '../../app/app.ts';
import type { ExportedState, ExportOptions } from '../../app/export.ts';
import { composeModules, storeNames } from '../../app/modules.ts';
import { equalBytes } from '../../core/bytes.ts';
import { LedgerError, messageOf } from '../../core/errors.ts';
import { canonicalJson, type JsonObject } from '../../framework/json.ts';
import type { GenesisDocument } from '../../genesis/document.ts';
import { appGenesisToJson } from '../../genesis/encode.ts';
import { openLevel } from '../../store/backend/level.ts';
import { readVersion } from '../../store/backend/read-version.ts';
import type { MemoryMultiStore } from '../../store/multistore.ts';
import type { ExportCommandOptions } from '../export.ts';
import { usageError } from '../failure.ts';
import { nodeLockPath } from '../home/node-lock.ts';
import { type OpenedHome, openHome } from '../home/open.ts';
import { lockOrRefuse } from '../process-lock.ts';
import { ownVersion } from '../version.ts';
import type { CheckedGenesis } from '../home/genesis-file.ts';
import { readGenesisFile } from '../home/genesis-file.ts';

const HEIGHT_PATTERN = /^(-1|[1-9][0-9]{0,18})$/;

/**
 * Exports the state of a home whose node does not run.
 * @returns the document on one line; undefined when it went to a file
 * @throws LedgerError `cli.locked`, `store.locked`, `store.version_missing`, `export.failed`; see also
 * `openHome` and `readGenesisFile`
 */
export async function exportGenesis(options: ExportCommandOptions): Promise<string | undefined> {
  if (!HEIGHT_PATTERN.test(options.height))
    throw usageError(`--height ${options.height} is no height; -1 is the last one`);
  const height = options.height === '-1' ? undefined : BigInt(options.height);
  const home = openHome(options.home);
  const genesis = readGenesisFile(home.paths.genesisFile);
  const unlock = lockOrRefuse(nodeLockPath(home.home), `the node in ${home.home}`);
  try {
    const exported = await exportHome(home, genesis, {
      ...(height === undefined ? {} : { height }),
      forZeroHeight: options.forZeroHeight === true,
      jailAllowed: options.jailAllowedAddrs,
      modules: options.modulesToExport,
    });
    return write(documentOf(genesis.document, exported), options.outputDocument);
  } finally {
    unlock();
  }
}

async function exportHome(
  home: OpenedHome,
  genesis: CheckedGenesis,
  options: ExportOptions,
): Promise<ExportedState> {
  const directory = join(home.dataDir, 'application.db');
  if (!existsSync(directory))
    throw new LedgerError(
      'store.version_missing',
      `there is no state in ${home.home}: its node has never run`,
    );
  const stores = storeNames(composeModules(genesis.prefix).modules);
  const backend = await openLevel(directory);
  let store: MemoryMultiStore;
  try {
    store = await readVersion(backend, { stores, version: options.height });
  } finally {
    await backend.close();
  }
  const { chainId } = genesis.document;
  const app = createApp({ store, chainId, prefix: genesis.prefix, verifier: { verify: () => false } });
  try {
    return app.exportState(options);
  } catch (cause) {
    throw new LedgerError('export.failed', `cannot export: ${messageOf(cause)}`, {}, cause);
  }
}

function documentOf(genesis: GenesisDocument, exported: ExportedState): JsonObject {
  const { genesisTime, chainId } = genesis;
  const validators = exported.validators.map(({ address, pubKey, power, name }) => {
    const listed = genesis.validators.find((validator) => equalBytes(validator.address, address));
    return {
      address,
      keyType: pubKey.type,
      pubKey: pubKey.bytes,
      power,
      name: name === '' ? (listed?.name ?? '') : name,
    };
  });
  return appGenesisToJson({ genesisTime, chainId, ...exported, validators }, ownVersion());
}

function write(document: JsonObject, file: string | undefined): string | undefined {
  if (file === undefined) return `${canonicalJson(document)}\n`;
  writeFileSync(`${file}.tmp`, `${canonicalJson(document, { indent: 2 })}\n`, { mode: 0o600 });
  renameSync(`${file}.tmp`, file);
  return undefined;
}
