import { renameSync, writeFileSync } from 'node:fs';
import type { GenesisDocument } from '../../genesis/document.ts';
import { encodeGenesis } from '../../genesis/encode.ts';
import { checkGenesis, type CheckedGenesis, readGenesisFile } from '../home/genesis-file.ts';
import { type OpenedHome, openHome } from '../home/open.ts';

/** The genesis of a home. */
export interface OpenedGenesis extends CheckedGenesis {
  readonly file: string;
  readonly home: OpenedHome;
}

/** @throws LedgerError `home.missing`, `genesis.file`, `genesis.invalid` */
export function openGenesis(homeDir: string): OpenedGenesis {
  const home = openHome(homeDir);
  const file = home.paths.genesisFile;
  return { file, home, ...readGenesisFile(file) };
}

/**
 * Checks a changed document and puts it in the place of the old one; nothing is written when it is wrong.
 * @throws LedgerError naming the path inside the document of what is wrong
 */
export function writeGenesis(file: string, document: GenesisDocument): CheckedGenesis {
  const text = encodeGenesis(document);
  const checked = checkGenesis(text);
  writeFileSync(`${file}.tmp`, text);
  renameSync(`${file}.tmp`, file);
  return checked;
}
