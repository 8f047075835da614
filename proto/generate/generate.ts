/**
 * Reads every .proto file of ours and of the Cosmos schemas with protobufjs's parser and writes one
 * TypeScript file of field tables for each. No text of the .proto files but names and numbers reaches the
 * output.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import protobuf from 'protobufjs';
import { emitFile } from './emit.ts';

const PROTO_FOLDER = join(import.meta.dirname, '..');

/** Imports that only declare options: the parser keeps options without their declarations. */
const OPTION_IMPORTS: readonly string[] = [
  'amino/amino.proto',
  'cosmos/msg/v1/msg.proto',
  'cosmos/query/v1/query.proto',
  'cosmos_proto/cosmos.proto',
  'gogoproto/gogo.proto',
  'google/api/annotations.proto',
];

/** Paths of the .proto files, as other .proto files import them, to where they lie. */
function protoFiles(): Map<string, string> {
  const files = new Map<string, string>();
  const collect = (root: string, prefix: string): void => {
    for (const path of readdirSync(root, { recursive: true, encoding: 'utf8' }).sort()) {
      if (path.endsWith('.proto')) files.set(prefix + path, join(root, path));
    }
  };
  collect(join(PROTO_FOLDER, 'cosmos-schemas'), '');
  collect(join(PROTO_FOLDER, 'openledger'), 'openledger/');
  return files;
}

/** Every generated file, by its path below proto/gen. */
export function generateAll(): Map<string, string> {
  const root = new protobuf.Root();
  const sources = protoFiles();
  // protobufjs stamps this property (missing from its types) on whatever the file under way declares.
  const parser = protobuf.parse as typeof protobuf.parse & { filename: string };
  for (const [path, source] of sources) {
    parser.filename = path;
    const { imports = [] } = parser(readFileSync(source, 'utf8'), root, { keepCase: true });
    for (const target of imports) {
      if (sources.has(target) || OPTION_IMPORTS.includes(target)) continue;
      throw new Error(
        `${path} imports ${target}, which is neither in proto/openledger nor in proto/cosmos-schemas`,
      );
    }
  }
  root.resolveAll();
  const files = new Map<string, string>();
  for (const path of sources.keys()) {
    const text = emitFile(root, path);
    if (text !== undefined) files.set(path.replace(/\.proto$/, '.ts'), text);
  }
  return files;
}
