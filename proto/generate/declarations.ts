import protobuf from 'protobufjs';

/** What one .proto file declares, nested types included, in the order of the file. */
export interface Declarations {
  readonly messages: readonly protobuf.Type[];
  readonly enums: readonly protobuf.Enum[];
  readonly services: readonly protobuf.Service[];
}

/** Collects the declarations of the file with this path. */
export function declarationsOf(root: protobuf.Root, path: string): Declarations {
  const messages: protobuf.Type[] = [];
  const enums: protobuf.Enum[] = [];
  const services: protobuf.Service[] = [];
  const visit = (object: protobuf.ReflectionObject): void => {
    const here = fileOf(object) === path;
    if (here && object instanceof protobuf.Type) messages.push(object);
    if (here && object instanceof protobuf.Enum) enums.push(object);
    if (here && object instanceof protobuf.Service) services.push(object);
    if (object instanceof protobuf.Namespace) for (const nested of object.nestedArray) visit(nested);
  };
  visit(root);
  return { messages, enums, services };
}

/**
 * Path of the .proto file that declares an object. Nested objects belong to the file of what they are nested
 * in.
 */
export function fileOf(object: protobuf.ReflectionObject): string | undefined {
  for (let at: protobuf.ReflectionObject | null = object; at !== null; at = at.parent) {
    if (at.filename !== null) return at.filename;
  }
  return undefined;
}
