/** The services that the generated schemas describe. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ServiceType } from '../../proto/codec/field.ts';

const COSMOS = join(import.meta.dirname, '..', '..', 'proto', 'gen', 'cosmos');

/** Every protobuf service below `cosmos.` that is in proto/gen, by name. */
export async function cosmosServices(): Promise<readonly ServiceType[]> {
  const files = readdirSync(COSMOS, { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.ts'),
  );
  const services: ServiceType[] = [];
  for (const file of files) {
    const exported: Record<string, unknown> = await import(join(COSMOS, file));
    services.push(...Object.values(exported).filter(isService));
  }
  return services.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function isService(value: unknown): value is ServiceType {
  return typeof value === 'object' && value !== null && 'methods' in value && Array.isArray(value.methods);
}
