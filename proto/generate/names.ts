import { posix } from 'node:path';
import protobuf from 'protobufjs';
import { type Declarations, fileOf } from './declarations.ts';

/**
 * The names that one generated file uses: its own, and those it imports, made distinct where they would
 * clash.
 */
export class Names {
  readonly #path: string;
  readonly #taken: Set<string> = new Set();
  readonly #imported: Map<string, { readonly path: string; readonly name: string; readonly alias: string }> =
    new Map();

  constructor(path: string, own: Declarations) {
    this.#path = path;
    for (const object of [...own.messages, ...own.enums, ...own.services])
      this.#taken.add(this.local(object));
  }

  /** The name of a declaration in the file that declares it: nested types are joined with an underscore. */
  local(object: protobuf.ReflectionObject): string {
    if (object instanceof protobuf.Service)
      return object.name.endsWith('Service') ? object.name : `${object.name}Service`;
    const parts = [object.name];
    for (let at = object.parent; at instanceof protobuf.Type; at = at.parent) parts.unshift(at.name);
    return parts.join('_');
  }

  /** The name by which this file reaches a declaration; remembers the import it needs. */
  reference(object: protobuf.ReflectionObject): string {
    const file = fileOf(object);
    if (file === undefined) throw new Error(`${object.fullName} is declared nowhere`);
    const name = this.local(object);
    if (file === this.#path) return name;
    const known = this.#imported.get(object.fullName);
    if (known !== undefined) return known.alias;
    let alias = name;
    while (this.#taken.has(alias)) alias = `Imported${alias}`;
    this.#taken.add(alias);
    this.#imported.set(object.fullName, { path: file, name, alias });
    return alias;
  }

  /** For an enum's descriptor: `SignModeType`. */
  enumDescriptor(type: protobuf.Enum): string {
    const reference = this.reference(type);
    const known = this.#imported.get(type.fullName);
    if (known === undefined) return `${reference}Type`;
    const key = `${type.fullName}#type`;
    const name = `${known.name}Type`;
    const alias = `${known.alias}Type`;
    this.#imported.set(key, { path: known.path, name, alias });
    return alias;
  }

  importLines(): string[] {
    const byFile = new Map<string, string[]>();
    for (const { path, name, alias } of this.#imported.values()) {
      const list = byFile.get(path) ?? [];
      list.push(name === alias ? name : `${name} as ${alias}`);
      byFile.set(path, list);
    }
    return [...byFile]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([path, list]) => {
        const target = posix.relative(posix.dirname(this.#path), path).replace(/\.proto$/, '.ts');
        return `import { ${list.sort().join(', ')} } from '${target.startsWith('.') ? target : `./${target}`}';`;
      });
  }
}
