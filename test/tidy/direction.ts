/** Which folder may import which, between modules and between the components of the node. */
import { importsOf, isTest, type ImportEdge, type Rule, type Source, type Violation } from './source.ts';
import { folderOf, MAY_IMPORT, PUBLISHED, STORE_INTERFACES } from './zones.ts';

function violation(source: Source, edge: ImportEdge, message: string): Violation {
  return { path: source.path, line: edge.line, message };
}

export const folderDirection: Rule = {
  name: 'folders import only what the table allows',
  check: (source) => {
    const from = folderOf(source.path);
    const allowed = MAY_IMPORT[from];
    if (allowed === undefined || isTest(source.path)) return [];
    return importsOf(source).relative.flatMap((edge) => {
      const to = folderOf(edge.target);
      if (to === from) return [];
      if (PUBLISHED.some((rule) => rule.from.includes(from) && rule.target.test(edge.target))) return [];
      if (!allowed.includes(to)) return [violation(source, edge, `${from} must not import ${edge.target}`)];
      if (from === 'framework' && to === 'store' && !STORE_INTERFACES.includes(edge.target)) {
        return [
          violation(
            source,
            edge,
            `framework sees only the interfaces of store (${STORE_INTERFACES.join(', ')})`,
          ),
        ];
      }
      return [];
    });
  },
  good: [
    ['node/rpc/a.ts', "import { x } from '../../core/bytes.ts';"],
    ['client/a.ts', "import { verifyClaim } from '../modules/attribution/verify.ts';"],
    ['attest/a.ts', "import { tokenise } from '../modules/attribution/proof/tokenise.ts';"],
    ['node/rpc/a.test.ts', "import { x } from '../../app/app.ts';"],
  ],
  bad: [
    ['core/a.ts', "import { x } from '../proto/codec/message.ts';"],
    ['consensus/a.ts', "import type { x } from '../node/wal/wal.ts';"],
    ['node/rpc/a.ts', "import { x } from '../../app/app.ts';"],
    ['node/rpc/a.ts', "const m = await import('../../modules/bank/keeper.ts');"],
    ['client/a.ts', "export * from '../modules/attribution/keeper.ts';"],
    ['attest/a.ts', "import { Attribution } from '../modules/attribution/keeper.ts';"],
    ['framework/a.ts', "import { x } from '../store/iavl/tree.ts';"],
    ['p2p/a.ts', "import { x } from '../test/e2e/x.ts';"],
  ],
};

export const moduleIsolation: Rule = {
  name: 'a module sees of another only the types, as types',
  check: (source) => {
    const own = /^modules\/([^/]+)\//.exec(source.path)?.[1];
    if (own === undefined || isTest(source.path)) return [];
    return importsOf(source).relative.flatMap((edge) => {
      const other = /^modules\/([^/]+)\/(.+)$/.exec(edge.target);
      if (other === null || other[1] === own) return [];
      if (other[2] === 'types.ts' && edge.typeOnly) return [];
      return [
        violation(source, edge, `use "import type" from modules/${other[1]}/types.ts, or a port in ports.ts`),
      ];
    });
  },
  good: [['modules/payments/a.ts', "import type { Datanet } from '../datanet/types.ts';"]],
  bad: [
    ['modules/payments/a.ts', "import { Datanet } from '../datanet/types.ts';"],
    ['modules/payments/a.ts', "import type { Keeper } from '../datanet/keeper.ts';"],
  ],
};

/** The composition root and what all components of the node share. */
const NODE_SHARED = /^node\/[^/]+\.ts$/;

export const nodeIsolation: Rule = {
  name: 'components of the node do not import each other',
  check: (source) => {
    const own = /^node\/([^/]+)\//.exec(source.path)?.[1];
    if (own === undefined || isTest(source.path)) return [];
    return importsOf(source).relative.flatMap((edge) => {
      const other = /^node\/([^/]+)\//.exec(edge.target)?.[1];
      if (other === undefined || other === own || NODE_SHARED.test(edge.target)) return [];
      return [violation(source, edge, `state what is needed in node/${own}/ports.ts; node/node.ts wires it`)];
    });
  },
  good: [
    ['node/rpc/a.ts', "import type { Application } from '../application.ts';"],
    ['node/node.ts', "import { Mempool } from './mempool/mempool.ts';"],
  ],
  bad: [['node/rpc/a.ts', "import type { Mempool } from '../mempool/mempool.ts';"]],
};
