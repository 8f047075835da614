/**
 * Reads and writes settings by their tables: what is wrong is named by file, key, value and what is allowed.
 */
import { parse as parseToml, TomlError } from 'smol-toml';
import { LedgerError, messageOf } from '../../core/errors.ts';
import { type AppConfig, appFields, type NodeConfig, nodeSections, snapshotFields } from './config.ts';
import type { Field, Fields, TomlValue } from './field.ts';

/** A configuration as read, and what in the file has no effect. */
export interface ReadConfig<T> {
  readonly config: T;
  /** One sentence for each key that is not known. */
  readonly warnings: readonly string[];
}

/** Text of a file and how to name it in an error. */
export interface ConfigText {
  readonly file: string;
  readonly text: string;
}

type Table = Readonly<Record<string, TomlValue>>;

const SNAPSHOT_HEADER = 'state-sync';

/** Characters of a wrong value that an error repeats. */
const VALUE_CHARACTERS_MAX = 60;

/**
 * Reads `config.toml`. Missing keys have their default.
 * @throws LedgerError `config.syntax` or `config.value`
 */
export function readNodeConfig(source: ConfigText): ReadConfig<NodeConfig> {
  const root = parseTable(source);
  const warnings: string[] = [];
  const section = <Name extends keyof NodeConfig>(name: Name): NodeConfig[Name] => {
    const { header, fields } = nodeSections[name];
    const table = header === '' ? withoutTables(root) : subtable(root, header, source.file);
    return readSection(table, { fields, header, file: source.file }, warnings);
  };
  const config: NodeConfig = {
    base: section('base'),
    rpc: section('rpc'),
    p2p: section('p2p'),
    mempool: section('mempool'),
    stateSync: section('stateSync'),
    consensus: section('consensus'),
    txIndex: section('txIndex'),
    instrumentation: section('instrumentation'),
  };
  const headers = new Set(Object.values(nodeSections).map((known) => known.header));
  for (const [key, value] of Object.entries(root)) {
    if (isTable(value) && !headers.has(key)) warnings.push(`${source.file}: section [${key}] is not used`);
  }
  return { config, warnings };
}

/**
 * Reads `app.toml`. Missing keys have their default.
 * @throws LedgerError `config.syntax` or `config.value`
 */
export function readAppConfig(source: ConfigText): ReadConfig<AppConfig> {
  const root = parseTable(source);
  const warnings: string[] = [];
  const { file } = source;
  const base = readSection(withoutTables(root), { fields: appFields, header: '', file }, warnings);
  const snapshots = readSection(
    subtable(root, SNAPSHOT_HEADER, file),
    { fields: snapshotFields, header: SNAPSHOT_HEADER, file },
    warnings,
  );
  const config = { ...base, ...snapshots };
  for (const [key, value] of Object.entries(root)) {
    if (isTable(value) && key !== SNAPSHOT_HEADER)
      warnings.push(`${source.file}: section [${key}] is not used`);
  }
  return { config, warnings };
}

/** `config.toml` with a comment above each setting. */
export function writeNodeConfig(config: NodeConfig): string {
  const parts = [
    '# Settings of this node. Names are those of CometBFT v0.38; defaults are, too, but for\n# those that node/config/README.md lists.\n',
  ];
  const append = <Name extends keyof NodeConfig>(name: Name): void => {
    const { header, fields } = nodeSections[name];
    if (header !== '') parts.push(`[${header}]\n`);
    parts.push(writeSection(fields, config[name]));
  };
  append('base');
  append('rpc');
  append('p2p');
  append('mempool');
  append('stateSync');
  append('consensus');
  append('txIndex');
  append('instrumentation');
  return parts.join('\n');
}

/** `app.toml` with a comment above each setting. */
export function writeAppConfig(config: AppConfig): string {
  const snapshots = `[${SNAPSHOT_HEADER}]\n\n${writeSection(snapshotFields, config)}`;
  return `# Settings of the application. Names are those of the Cosmos SDK.\n\n${writeSection(appFields, config)}\n${snapshots}`;
}

/** The defaults of `config.toml`. */
export function defaultNodeConfig(): NodeConfig {
  return readNodeConfig({ file: 'defaults', text: '' }).config;
}

/** The defaults of `app.toml`. */
export function defaultAppConfig(): AppConfig {
  return readAppConfig({ file: 'defaults', text: '' }).config;
}

function parseTable(source: ConfigText): Table {
  try {
    return parseToml(source.text);
  } catch (cause) {
    // The first line says what is wrong and after a prefix of its own; the others show the place.
    const reason = (messageOf(cause).split('\n')[0] ?? '').replace(/^Invalid TOML document: /, '');
    const line = cause instanceof TomlError ? ` (line ${cause.line})` : '';
    throw new LedgerError('config.syntax', `${source.file} is not valid TOML: ${reason}${line}`);
  }
}

interface SectionSource<Section> {
  readonly fields: Fields<Section>;
  readonly header: string;
  readonly file: string;
}

function readSection<Section>(table: Table, source: SectionSource<Section>, warnings: string[]): Section {
  const known = new Set<string>();
  const entries = fieldEntries(source.fields).map(([name, field]) => {
    known.add(field.key);
    return [name, readField(table[field.key], field, source)];
  });
  for (const key of Object.keys(table)) {
    if (!known.has(key))
      warnings.push(`${source.file}: ${dotted(source.header, key)} is not a known setting`);
  }
  return Object.fromEntries(entries) as Section;
}

function readField<T>(
  value: TomlValue,
  field: Field<T>,
  source: { readonly header: string; readonly file: string },
): T {
  if (value === undefined) return field.fallback;
  const decoded = field.decode(value);
  if (decoded !== undefined) return decoded;
  const key = dotted(source.header, field.key);
  throw new LedgerError(
    'config.value',
    `${source.file}: ${key} is ${quote(value)}, but must be ${field.allowed}`,
    {
      key,
    },
  );
}

function writeSection<Section>(fields: Fields<Section>, section: Section): string {
  return Object.entries<Field<never>>(fields as Record<string, Field<never>>)
    .map(([name, field]) => {
      const value = (section as Record<string, never>)[name];
      return `# ${field.comment}\n${field.key} = ${field.encode(value as never)}\n`;
    })
    .join('');
}

function fieldEntries<Section>(fields: Fields<Section>): (readonly [string, Field<unknown>])[] {
  return Object.entries(fields as Record<string, Field<unknown>>);
}

function subtable(root: Table, header: string, file: string): Table {
  const value = root[header] ?? {};
  if (isTable(value)) return value;
  throw new LedgerError('config.value', `${file}: ${header} is ${quote(value)}, but must be a section`);
}

function withoutTables(root: Table): Table {
  return Object.fromEntries(Object.entries(root).filter(([, value]) => !isTable(value)));
}

function isTable(value: TomlValue): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

function dotted(header: string, key: string): string {
  return header === '' ? key : `${header}.${key}`;
}

function quote(value: TomlValue): string {
  const written =
    JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? String(inner) : inner)) ?? '';
  return written.length > VALUE_CHARACTERS_MAX ? `${written.slice(0, VALUE_CHARACTERS_MAX)}…` : written;
}
