/** What bounds the memory of a node and is passed from one place to another, where nothing fails without it. */
import ts from 'typescript-api';
import { isTest, lineOf, type Rule, type Source, type Violation, walk } from './source.ts';

/** A value that a call, or a constructor, must be given in an object. */
interface Demand {
  readonly of: string;
  readonly property: string;
  /** The expression, or its end. */
  readonly value: string;
}

function violations(source: Source, demands: readonly Demand[]): readonly Violation[] {
  const found: Violation[] = [];
  walk(source.tree, (node) => {
    if (!ts.isNewExpression(node) && !ts.isCallExpression(node)) return;
    const { expression } = node;
    const demand = demands.find(({ of }) => ts.isIdentifier(expression) && expression.text === of);
    if (demand === undefined || (node.arguments ?? []).some((argument) => gives(argument, demand))) return;
    const message = `${demand.of} without \`${demand.property}: ${demand.value}\``;
    found.push({ path: source.path, line: lineOf(source, node.getStart()), message });
  });
  return found;
}

function gives(argument: ts.Expression, { property, value }: Demand): boolean {
  if (!ts.isObjectLiteralExpression(argument)) return false;
  return argument.properties.some(
    (each) =>
      ts.isPropertyAssignment(each) &&
      each.name.getText() === property &&
      each.initializer.getText().endsWith(value),
  );
}

const openFiles: readonly Demand[] = ['Level', 'ClassicLevel'].map((of) => ({
  of,
  property: 'maxOpenFiles',
  value: 'LEVEL_OPEN_FILES_MAX',
}));

export const boundedDatabases: Rule = {
  name: 'every LevelDB is told how many files it may map',
  check: (source) => violations(source, openFiles),
  good: [
    ['store/backend/a.ts', 'const d = new Level(dir, { maxOpenFiles: LEVEL_OPEN_FILES_MAX });'],
    ['node/a.ts', 'new LevelDatabase(level);'],
  ],
  bad: [
    ['store/backend/a.ts', 'const d = new Level(dir);'],
    ['node/a.ts', "const d = new Level<Uint8Array, Uint8Array>(dir, { valueEncoding: 'view' });"],
    ['node/a.ts', 'const d = new Level(dir, { maxOpenFiles: 1000 });'],
    ['test/a.ts', 'const d = new ClassicLevel(dir, {});'],
  ],
};

const mempoolSize: readonly Demand[] = [
  { of: 'openApplication', property: 'mempoolTxsMax', value: '.mempool.size' },
];

export const boundedCaches: Rule = {
  name: 'who opens the application tells it what the mempool may hold',
  check: (source) => (isTest(source.path) ? [] : violations(source, mempoolSize)),
  good: [
    ['cli/a.ts', 'await openApplication({ dataDir, mempoolTxsMax: home.node.mempool.size });'],
    ['cli/a.test.ts', 'await openApplication({ dataDir });'],
  ],
  bad: [
    ['cli/a.ts', 'await openApplication({ dataDir });'],
    ['cli/a.ts', 'await openApplication({ mempoolTxsMax: 5_000 });'],
    ['cli/a.ts', 'await openApplication(options);'],
  ],
};
