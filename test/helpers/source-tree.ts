// The repository's own sources as data for test/tidy.test.ts: files, imports and names, read with TypeScript's parser.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';
import { root } from './program.ts';

export { root };

export interface Import {
  /** As written: "./a.ts", "@parley/kit/process", "node:fs". */
  specifier: string;
  /** The file of this repository it names, when it names one. */
  file: string | undefined;
  /** What is imported by name; empty for `import *` and for a module run for its effects. */
  names: string[];
  /** Erased by the compiler: nothing of it is there at run time. */
  typeOnly: boolean;
}

export interface SourceFile {
  /** Below the repository's root, with slashes. */
  path: string;
  text: string;
  lines: number;
  imports: Import[];
  syntax: ts.SourceFile;
}

/** Committed and not yet committed files, without ignored ones. */
export function repositoryFiles(): string[] {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  return listed.split('\0').filter((path) => path !== '' && existsSync(join(root, path)));
}

export interface Package {
  name: string;
  folder: string;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  /** Its doors: what others import -> the source file, below the repository's root. */
  doors: Record<string, string>;
  /** Names inside of the package, "#servers/*", and what they stand for from sources. */
  imports: Record<string, { 'parley-source': string }>;
}

export function packages(): Package[] {
  const manifests = repositoryFiles().filter((path) => path === 'package.json' || path.endsWith('/package.json'));
  return manifests.map((path) => {
    const manifest = JSON.parse(readFileSync(join(root, path), 'utf8')) as Manifest;
    const { name, dependencies = {}, devDependencies = {}, exports = {}, imports = {} } = manifest;
    const folder = dirname(path);
    const doors = Object.entries(exports).map(([door, { 'parley-source': source }]) => [join(name, door), join(folder, source)]);
    return { name, folder, dependencies, devDependencies, doors: Object.fromEntries(doors) as Record<string, string>, imports };
  });
}

type Manifest = Pick<Package, 'name'> &
  Partial<Pick<Package, 'dependencies' | 'devDependencies' | 'imports'>> & { exports?: Record<string, { 'parley-source': string }> };

export function sourceFiles(matches: (path: string) => boolean): SourceFile[] {
  const all = packages();
  const doors = new Map(all.flatMap((each) => Object.entries(each.doors)));
  const inner = all.flatMap(({ folder, imports }) =>
    Object.entries(imports).map(([name, { 'parley-source': target }]) => [name.split('*')[0] ?? '', join(folder, target)] as const),
  );
  return repositoryFiles()
    .filter((path) => /\.(ts|mjs)$/.test(path) && matches(path))
    .map((path) => {
      const text = readFileSync(join(root, path), 'utf8');
      const syntax = ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true);
      const imports = importsOf(syntax).map((each) => ({ ...each, file: targetOf(path, each.specifier, { doors, inner }) }));
      return { path, text, lines: text.split('\n').length - 1, imports, syntax };
    });
}

function targetOf(
  path: string,
  specifier: string,
  { doors, inner }: { doors: Map<string, string>; inner: (readonly [start: string, target: string])[] },
): string | undefined {
  if (specifier.startsWith('.')) return relative(root, resolve(root, dirname(path), specifier));
  const [start = '', target] = inner.find(([each]) => specifier.startsWith(each)) ?? [];
  return target === undefined ? doors.get(specifier) : target.replace('*', specifier.slice(start.length));
}

function importsOf(syntax: ts.SourceFile): Omit<Import, 'file'>[] {
  const found: Omit<Import, 'file'>[] = [];
  visit(syntax, (node) => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
      const specifier = node.moduleSpecifier;
      if (specifier && ts.isStringLiteral(specifier))
        found.push({ specifier: specifier.text, names: namesOf(node), typeOnly: isTypeOnly(node) });
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [argument] = node.arguments;
      if (argument && ts.isStringLiteral(argument)) found.push({ specifier: argument.text, names: [], typeOnly: false });
    }
  });
  return found;
}

function namesOf(node: ts.ImportDeclaration | ts.ExportDeclaration): string[] {
  const named = ts.isImportDeclaration(node) ? node.importClause?.namedBindings : node.exportClause;
  if (!named || !(ts.isNamedImports(named) || ts.isNamedExports(named))) return [];
  return [...named.elements].filter((element) => !element.isTypeOnly).map((element) => (element.propertyName ?? element.name).text);
}

function isTypeOnly(node: ts.ImportDeclaration | ts.ExportDeclaration): boolean {
  if (ts.isExportDeclaration(node)) return node.isTypeOnly;
  const clause = node.importClause;
  if (!clause) return false;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const named = clause.namedBindings;
  return (
    !clause.name &&
    named !== undefined &&
    ts.isNamedImports(named) &&
    named.elements.length > 0 &&
    named.elements.every((element) => element.isTypeOnly)
  );
}

export function visit(node: ts.Node, see: (node: ts.Node) => void): void {
  see(node);
  ts.forEachChild(node, (child) => visit(child, see));
}

/** "path:line" of every place where the name is read from an object, such as process.env. */
export function usesOf(file: SourceFile, object: string, property?: string): string[] {
  const places: string[] = [];
  visit(file.syntax, (node) => {
    const isAccess = ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node);
    if (!isAccess || !ts.isIdentifier(node.expression) || node.expression.text !== object) return;
    if (property !== undefined && !(ts.isPropertyAccessExpression(node) && node.name.text === property)) return;
    places.push(`${file.path}:${file.syntax.getLineAndCharacterOfPosition(node.getStart()).line + 1}`);
  });
  return places;
}

/** Each cycle of imports, those of types among them, once, as the files on it. */
export function importCycles(files: SourceFile[]): string[][] {
  const edges = new Map(files.map((file) => [file.path, file.imports.flatMap((each) => each.file ?? [])]));
  const state = new Map<string, 'open' | 'done'>();
  const cycles: string[][] = [];
  const walk = (path: string, trail: string[]) => {
    if (state.get(path) === 'done' || !edges.has(path)) return;
    if (state.get(path) === 'open') {
      cycles.push([...trail.slice(trail.indexOf(path)), path]);
      return;
    }
    state.set(path, 'open');
    for (const next of edges.get(path) ?? []) walk(next, [...trail, path]);
    state.set(path, 'done');
  };
  for (const path of edges.keys()) walk(path, []);
  return cycles;
}

/** "path name" of what a door hands out without a doc comment where it is declared, through re-exports. */
export function undocumented(files: readonly SourceFile[], door: string): string[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const follow = (path: string, wanted: (name: string) => boolean): string[] => {
    const file = byPath.get(path);
    return (file?.syntax.statements ?? []).flatMap((statement) => {
      if (ts.isExportDeclaration(statement)) {
        const specifier = statement.moduleSpecifier;
        if (!specifier || !ts.isStringLiteral(specifier) || !specifier.text.startsWith('.')) return [];
        const named = statement.exportClause && ts.isNamedExports(statement.exportClause) ? statement.exportClause.elements : undefined;
        const names = named?.filter(({ name }) => wanted(name.text)).map((each) => (each.propertyName ?? each.name).text);
        return follow(relative(root, resolve(root, dirname(path), specifier.text)), (name) => names?.includes(name) ?? true);
      }
      const names = exportedNames(statement).filter(wanted);
      // A schema and the type of the same name share one comment.
      return hasDocComment(statement, file?.text ?? '')
        ? names.map((name) => `documented ${path} ${name}`)
        : names.map((name) => `${path} ${name}`);
    });
  };
  const found = follow(door, () => true);
  const documented = new Set(found.filter((each) => each.startsWith('documented ')).map((each) => each.slice('documented '.length)));
  return [...new Set(found)].filter((each) => !each.startsWith('documented ') && !documented.has(each));
}

function exportedNames(statement: ts.Statement): string[] {
  if (!ts.canHaveModifiers(statement) || !ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) return [];
  if (ts.isVariableStatement(statement))
    return statement.declarationList.declarations.flatMap(({ name }) => (ts.isIdentifier(name) ? [name.text] : []));
  const { name } = statement as { name?: ts.Node };
  return name && ts.isIdentifier(name) ? [name.text] : [];
}

const hasDocComment = (statement: ts.Statement, text: string): boolean =>
  (ts.getLeadingCommentRanges(text, statement.getFullStart()) ?? []).some(({ pos }) => text.startsWith('/**', pos));

/** Texts of at least so many letters that the program says, with the line of each; what is imported is none. */
export function longTexts({ syntax, path }: SourceFile, lettersMin: number): { text: string; place: string }[] {
  const found: { text: string; place: string }[] = [];
  visit(syntax, (node) => {
    if (!ts.isStringLiteral(node) && !ts.isNoSubstitutionTemplateLiteral(node)) return;
    if (ts.isImportDeclaration(node.parent) || ts.isExportDeclaration(node.parent)) return;
    if ((node.text.match(/\p{L}/gu) ?? []).length < lettersMin) return;
    found.push({ text: node.text, place: `${path}:${syntax.getLineAndCharacterOfPosition(node.getStart()).line + 1}` });
  });
  return found;
}
