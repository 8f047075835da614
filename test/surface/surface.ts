/** What the application and its node serve of the Cosmos services, as a document. */
import { join } from 'node:path';
import { createApp } from '../../app/app.ts';
import { composeModules, storeNames } from '../../app/modules.ts';
import type { MethodType, ServiceType } from '../../proto/codec/field.ts';
import { MemoryMultiStore } from '../../store/multistore.ts';
import { NODE_QUERY_PATHS } from '../../node/rpc/node-queries.ts';
import { plainVerifier } from '../support/test-chain.ts';
import { cosmosServices } from './services.ts';
import { UNSERVED } from './unserved.ts';

/** Where the document lies. */
export const DOCUMENT: string = join(import.meta.dirname, '..', '..', 'docs', 'spec', 'cosmos-surface.md');

/** One method of a service, and whether it is answered. */
export interface SurfaceMethod {
  /** `cosmos.bank.v1beta1.Query/Balance`. */
  readonly path: string;
  readonly service: string;
  readonly method: MethodType;
  readonly served: boolean;
}

/** Every method of every Cosmos service, in the order of services by name and of methods by .proto file. */
export async function surface(): Promise<readonly SurfaceMethod[]> {
  const store = new MemoryMultiStore({ stores: storeNames(composeModules('open').modules) });
  const app = createApp({ store, chainId: 'surface-1', prefix: 'open', verifier: plainVerifier });
  const { router } = app.composition;
  const isServed = (service: ServiceType, method: MethodType): boolean =>
    service.name.endsWith('.Msg')
      ? router.find(method.input().typeUrl) !== undefined
      : NODE_QUERY_PATHS.includes(`/${service.name}/${method.name}`) ||
        app.queries.find(`/${service.name}/${method.name}`)?.served === true;
  return (await cosmosServices()).flatMap((service) =>
    service.methods.map((method) => ({
      path: `${service.name}/${method.name}`,
      service: service.name,
      method,
      served: isServed(service, method),
    })),
  );
}

/** The reason why a method is not served, if one is given: its own, or its service's. */
export function reasonFor({ path, service }: SurfaceMethod): string | undefined {
  return UNSERVED[path] ?? UNSERVED[service];
}

/** `docs/spec/cosmos-surface.md`. */
export function surfaceDocument(methods: readonly SurfaceMethod[]): string {
  const services = [...new Set(methods.map(({ service }) => service))];
  const served = methods.filter((method) => method.served).length;
  return [
    '# The Cosmos surface',
    '',
    'Every method of the services of Cosmos SDK v0.50 that a wallet, a dashboard or another chain may call,',
    'and whether this chain serves it. Messages go into transactions; queries go through `abci_query`, by',
    'their path. A test writes this table from the service descriptors in `proto/gen` and from what the',
    'application, or for transactions in blocks the node, answers: `npm run surface`.',
    '',
    `${served} of ${methods.length} methods are served.`,
    ...services.flatMap((service) => [
      '',
      ...serviceTable(
        service,
        methods.filter((method) => method.service === service),
      ),
    ]),
    '',
  ].join('\n');
}

function serviceTable(service: string, methods: readonly SurfaceMethod[]): readonly string[] {
  const count = methods.filter(({ served }) => served).length;
  return [
    `## ${service} (${count} of ${methods.length})`,
    '',
    '| method | takes | REST path | |',
    '| --- | --- | --- | --- |',
    ...methods.map((entry) => {
      const { method, served } = entry;
      const rest = method.http
        .map(({ method: verb, path }) => `\`${verb.toUpperCase()} ${path}\``)
        .join('<br>');
      const takes = method.input().typeUrl.split('.').at(-1);
      return `| ${method.name} | ${takes} | ${rest} | ${served ? 'served' : `no: ${reasonFor(entry)}`} |`;
    }),
  ];
}
