/** A server of attributions over a library of shards, put together. */
import { Claim } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import type { Asker } from '../../serve/route.ts';
import { HttpServer } from '../../serve/server.ts';
import type { Attribution, AttributionOrder } from './attribute.ts';
import { Attributor } from './attribute.ts';
import { STATUSES } from './errors.ts';
import { Gate } from './gate.ts';
import { HeadLibrary } from './head-library.ts';
import type { AskedHeads } from './influence-part.ts';
import { SERVE_LIMITS, type ServeLimits } from './limits.ts';
import { ServeMetrics } from './metrics.ts';
import type { AttestLogger, ServeChain } from './ports.ts';
import { attestRoutes } from './routes.ts';
import type { ShardLibrary } from './shard-library.ts';

/** What a service is made of. */
export interface ServiceParts {
  readonly library: ShardLibrary;
  /** Heads whose cards and claims are served; none when it is absent. */
  readonly heads?: HeadLibrary;
  readonly chain: ServeChain;
  readonly logger: AttestLogger;
  /** What else /v1/health says. */
  readonly health?: () => Readonly<Record<string, unknown>>;
}

/** Where it listens, and its bounds. */
export interface ServiceOptions {
  readonly host: string;
  readonly port: number;
  readonly limits?: Partial<ServeLimits>;
}

/** A server and what it counts. */
export interface Service {
  readonly server: HttpServer;
  readonly metrics: ServeMetrics;
}

/**
 * An address has one attribution under way for so many connections that it may have: 8 of 32, so that it
 * fills no queue alone. A proxy, which is given all connections, has places enough for everybody behind it.
 */
const CONNECTIONS_EACH = 4;

/** Puts the server together; it listens once it is started. */
export function attestService(parts: ServiceParts, options: ServiceOptions): Service {
  const { library, heads = new HeadLibrary(), chain, logger, health = () => ({}) } = parts;
  const limits = { ...SERVE_LIMITS, ...options.limits };
  const gate = new Gate({
    runningMax: limits.attributionsMax,
    waitingMax: limits.waitingMax,
    perAddressMax: Math.ceil(limits.connectionsPerAddressMax / CONNECTIONS_EACH),
  });
  const metrics = new ServeMetrics({
    running: () => gate.running,
    waiting: () => gate.waiting,
    shards: () => library.list().length,
    cards: () => heads.list().length,
    engine: () => heads.engine,
    keptBytes: () => heads.keptBytes,
    tokens: () => library.list().reduce((sum, { reader }) => sum + reader.tokens, 0),
  });
  const asked: AskedHeads = {
    card: (key) => heads.card(key),
    // Influence has a queue of its own: tokens are attributed meanwhile.
    ask: (key, question, asker) => gate.aside(() => heads.ask(key, question, asker)),
  };
  const attributor = new Attributor({ library, heads: asked, chain });
  const attribute = async (order: () => AttributionOrder, asker: Asker): Promise<Attribution> => {
    const made = await gate.run(() => attributor.attribute({ ...order(), asker }), asker);
    const { spans, token } = made.claim;
    metrics.claim(Claim.encode(made.claim).length, token?.spans.length ?? spans.length);
    for (const { part, basisPoints, made: isMade } of made.parts)
      if (basisPoints > 0) metrics.part(part, isMade ? 'made' : 'left_out');
    return made;
  };
  const routes = attestRoutes({
    library,
    heads,
    attribute,
    piecesMax: limits.piecesMax,
    health,
  });
  const { host, port } = options;
  const errors = { codespace: 'attest', statuses: STATUSES };
  return { server: new HttpServer({ routes, metrics, logger }, { host, port, limits, errors }), metrics };
}
