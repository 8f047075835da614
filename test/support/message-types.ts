import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { MessageType } from '../../proto/codec/message.ts';

const GENERATED = join(import.meta.dirname, '..', '..', 'proto', 'gen');

/** Every generated message type, by full name. */
export async function messageTypes(): Promise<ReadonlyMap<string, MessageType<unknown>>> {
  const types = new Map<string, MessageType<unknown>>();
  for (const path of readdirSync(GENERATED, { recursive: true, encoding: 'utf8' })) {
    if (!path.endsWith('.ts')) continue;
    const exported: Readonly<Record<string, unknown>> = await import(join(GENERATED, path));
    for (const value of Object.values(exported)) if (isMessageType(value)) types.set(value.name, value);
  }
  return types;
}

function isMessageType(value: unknown): value is MessageType<unknown> {
  return typeof value === 'object' && value !== null && 'encodeDelimited' in value;
}
