/** A source file as the tidy rules see it, and how violations are told. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript-api';

export interface Source {
  /** Path from the root of the project, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly tree: ts.SourceFile;
}

export interface Violation {
  readonly path: string;
  readonly line: number;
  /** What is wrong and what to do instead. */
  readonly message: string;
}

/** One rule of the house. `bad` are its negative tests: each must be flagged, or the rule checks nothing. */
export interface Rule {
  readonly name: string;
  check(source: Source): readonly Violation[];
  readonly good: readonly (readonly [path: string, text: string])[];
  readonly bad: readonly (readonly [path: string, text: string])[];
}

const FOLDERS =
  'core proto consensus store framework modules app genesis p2p light node watch serve attest gateway client cli test';

/** Parses a file for the rules. */
export function sourceOf(path: string, text: string): Source {
  return { path, text, tree: ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true) };
}

/** Every TypeScript file of the project; generated code is exempt from the rules. */
export function projectSources(root: string): Source[] {
  const present = readdirSync(root);
  return FOLDERS.split(' ')
    .filter((folder) => present.includes(folder))
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map(
        (path) => `${folder}/${path}`,
      ),
    )
    .filter(
      (path) => path.endsWith('.ts') && !path.startsWith('proto/gen/') && !path.includes('node_modules'),
    )
    .sort()
    .map((path) => sourceOf(path, readFileSync(join(root, path), 'utf8')));
}

/** True for tests and what only tests use. */
export function isTest(path: string): boolean {
  return path.startsWith('test/') || path.endsWith('.test.ts') || /(^|\/)(testing|bench)[./]/.test(path);
}

/** One-based line of a position. */
export function lineOf(source: Source, position: number): number {
  return source.tree.getLineAndCharacterOfPosition(position).line + 1;
}

/** Calls `visit` for every node of the file. */
export function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  node.forEachChild((child) => walk(child, visit));
}

/** An import or re-export with a relative target, resolved from the project's root. */
export interface ImportEdge {
  readonly target: string;
  readonly typeOnly: boolean;
  readonly line: number;
}

/** The modules a file names, relative ones resolved. */
export function importsOf(source: Source): { relative: ImportEdge[]; packages: ImportEdge[] } {
  const relative: ImportEdge[] = [];
  const packages: ImportEdge[] = [];
  const add = (specifier: ts.Expression | undefined, typeOnly: boolean): void => {
    if (specifier === undefined || !ts.isStringLiteral(specifier)) return;
    const line = lineOf(source, specifier.getStart());
    const { text } = specifier;
    if (text.startsWith('.')) relative.push({ target: resolve(source.path, text), typeOnly, line });
    else packages.push({ target: text, typeOnly, line });
  };
  walk(source.tree, (node) => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, isTypeImport(node));
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly);
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node.arguments[0], false);
    }
  });
  return { relative, packages };
}

function isTypeImport(node: ts.ImportDeclaration): boolean {
  const clause = node.importClause;
  if (clause === undefined) return false;
  if (clause.isTypeOnly) return true;
  const bindings = clause.namedBindings;
  if (clause.name !== undefined || bindings === undefined || !ts.isNamedImports(bindings)) return false;
  return bindings.elements.length > 0 && bindings.elements.every((element) => element.isTypeOnly);
}

function resolve(from: string, specifier: string): string {
  const parts = from.split('/').slice(0, -1);
  for (const part of specifier.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/');
}
