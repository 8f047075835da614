/** Length limits, doc comments and words that must not stay. */
import ts from 'typescript-api';
import { isTest, lineOf, type Rule, type Source, type Violation, walk } from './source.ts';

const FILE_LINES_MAX = 500;
/** Files that are one on purpose: who doubts everything else has to read one file, and nothing that it imports. */
const WHOLE_FILES: Readonly<Record<string, number>> = { 'client/verifier/verify-payout.ts': 900 };
const FUNCTION_LINES_MAX = 70;
const LINE_CHARS_MAX = 110;

export const fileLength: Rule = {
  name: `a file has at most ${FILE_LINES_MAX} lines`,
  check: (source) => {
    const lines = source.text.split('\n').length - 1;
    if (lines <= (WHOLE_FILES[source.path] ?? FILE_LINES_MAX)) return [];
    return [{ path: source.path, line: lines, message: `${lines} lines: cut it into several rooms` }];
  },
  good: [['core/a.ts', 'x;\n'.repeat(500)]],
  bad: [
    ['core/a.ts', 'x;\n'.repeat(501)],
    ['client/verifier/verify-payout.ts', 'x;\n'.repeat(901)],
  ],
};

export const lineLength: Rule = {
  name: `a line has at most ${LINE_CHARS_MAX} characters`,
  check: (source) =>
    source.text.split('\n').flatMap((text, index) => {
      // Text that cannot be broken: a string, a template or a regular expression longer than the line.
      if (text.length <= LINE_CHARS_MAX || /['"`/]/.test(text)) return [];
      return [{ path: source.path, line: index + 1, message: `${text.length} characters` }];
    }),
  good: [
    ['core/a.ts', 'x'.repeat(110)],
    ['core/a.ts', `f('${'x'.repeat(120)}');`],
  ],
  bad: [['core/a.ts', 'x'.repeat(111)]],
};

function functionViolations(source: Source): Violation[] {
  const found: Violation[] = [];
  walk(source.tree, (node) => {
    const isFunction =
      ts.isFunctionDeclaration(node) ||
      ts.isFunctionExpression(node) ||
      ts.isArrowFunction(node) ||
      ts.isMethodDeclaration(node) ||
      ts.isConstructorDeclaration(node);
    if (!isFunction || node.body === undefined) return;
    const first = lineOf(source, node.getStart());
    const lines = lineOf(source, node.getEnd()) - first + 1;
    if (lines <= FUNCTION_LINES_MAX) return;
    found.push({ path: source.path, line: first, message: `a function of ${lines} lines` });
  });
  return found;
}

export const functionLength: Rule = {
  name: `a function has at most ${FUNCTION_LINES_MAX} lines`,
  // Test suites are functions of functions; each test inside is short by habit.
  check: (source) => (isTest(source.path) ? [] : functionViolations(source)),
  good: [['core/a.ts', `function f() {\n${'x;\n'.repeat(68)}}`]],
  bad: [
    ['core/a.ts', `function f() {\n${'x;\n'.repeat(69)}}`],
    ['core/a.ts', `const f = () => {\n${'x;\n'.repeat(69)}};`],
  ],
};

const DOCUMENTED = /^(core|consensus|store|framework|modules|attest|light|client)\//;

export const docComments: Rule = {
  name: 'every exported item of the library layers has a doc comment',
  check: (source) => {
    if (!DOCUMENTED.test(source.path) || isTest(source.path)) return [];
    return source.tree.statements.flatMap((statement) => {
      if (!ts.canHaveModifiers(statement)) return [];
      const exported =
        ts.getModifiers(statement)?.some((m) => m.kind === ts.SyntaxKind.ExportKeyword) ?? false;
      if (!exported || ts.isExportDeclaration(statement)) return [];
      if (ts.isFunctionDeclaration(statement) && statement.body === undefined) return [];
      if (hasDocComment(source, statement)) return [];
      const line = lineOf(source, statement.getStart());
      return [{ path: source.path, line, message: 'exported without a doc comment' }];
    });
  },
  good: [
    ['core/a.ts', '/** Why. */\nexport const x = 1;'],
    ['node/a.ts', 'export const x = 1;'],
  ],
  bad: [
    ['core/a.ts', 'export const x = 1;'],
    ['store/a.ts', '// not a doc comment\nexport function f(): void {}'],
    ['client/a.ts', 'export interface X {}'],
  ],
};

function hasDocComment(source: Source, node: ts.Node): boolean {
  const ranges = ts.getLeadingCommentRanges(source.text, node.getFullStart()) ?? [];
  return ranges.some((range) => source.text.startsWith('/**', range.pos));
}

/** Assembled so that this file does not contain them. */
const LEFTOVERS = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX', 'HA' + 'CK'].join('|')})\\b`);

export const leftovers: Rule = {
  name: 'nothing is left for later in a comment',
  check: (source) =>
    source.text.split('\n').flatMap((text, index) => {
      if (!LEFTOVERS.test(text)) return [];
      return [
        { path: source.path, line: index + 1, message: 'do it, or say in the docs that it is not there' },
      ];
    }),
  good: [['core/a.ts', '// all done']],
  bad: [['core/a.ts', `// ${'TO'}${'DO'}: later`]],
};

export const namedExports: Rule = {
  name: 'exports have names',
  check: (source) => {
    if (source.path.startsWith('test/')) return [];
    const found: Violation[] = [];
    walk(source.tree, (node) => {
      if (!ts.isExportAssignment(node) && node.kind !== ts.SyntaxKind.DefaultKeyword) return;
      if (node.kind === ts.SyntaxKind.DefaultKeyword && ts.isDefaultClause(node.parent)) return;
      found.push({ path: source.path, line: lineOf(source, node.getStart()), message: 'default export' });
    });
    return found;
  },
  good: [['core/a.ts', 'switch (x) { default: f(); }']],
  bad: [
    ['core/a.ts', 'export default 1;'],
    ['core/a.ts', 'export default function f() {}'],
  ],
};

export const typeHoles: Rule = {
  name: 'the type system is not switched off',
  check: (source) => {
    const found: Violation[] = [];
    const flag = (node: ts.Node, message: string): void => {
      found.push({ path: source.path, line: lineOf(source, node.getStart()), message });
    };
    walk(source.tree, (node) => {
      if (node.kind === ts.SyntaxKind.AnyKeyword) flag(node, 'any: use unknown and narrow it');
      if (ts.isNonNullExpression(node)) flag(node, '!: use defined() or handle undefined');
      if (ts.isEnumDeclaration(node)) flag(node, 'enum: use a union of literals');
    });
    for (const [index, text] of source.text.split('\n').entries()) {
      if (/@ts-(ignore|nocheck|expect-error)/.test(text) && !source.path.startsWith('test/tidy/')) {
        found.push({ path: source.path, line: index + 1, message: 'a suppressed type error' });
      }
    }
    return found;
  },
  good: [['core/a.ts', 'const x: unknown = y;']],
  bad: [
    ['core/a.ts', 'const x: any = y;'],
    ['core/a.ts', 'const x = y!;'],
    ['core/a.ts', 'enum E { A }'],
    ['core/a.ts', '// @ts-ignore\nx;'],
  ],
};
