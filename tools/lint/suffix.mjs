import { builtinModules } from 'node:module';
import { relative, sep } from 'node:path';
import { devPackages, projects, root } from './projects.mjs';
import { AMBIENT, AMBIENT_NAMES, FAMILIES, LISTENING, PURE_NAMES, REACHING } from './suffixes.mjs';
import { CONTRACT_KINDS, kindOf, kindOfImport, PLACES, SUFFIXES } from './suffixes.mjs';

/**
 * Holds every file to what its suffix promises. One rule instead of no-restricted-imports, no-restricted-globals and
 * -properties: those replace each other's options in a flat config, and do not see `import()`.
 */
const suffixRule = {
  meta: {
    type: 'problem',
    schema: [],
    messages: {
      unknown: "'.{{kind}}' is no suffix we know. Known: {{known}}.",
      layer:
        'A contract lib has no {{kind}} files: data and decisions only. A driver belongs into a kit lib or an app.',
      package:
        "A {{kind}} file may not load '{{source}}' ({{family}}): move it to a file with that suffix, or take a port.",
      file: "A {{kind}} file may not load '{{source}}', which is a {{target}} file: take a port instead.",
      only: "A {{kind}} file loads {{only}} and contract libs only, not '{{source}}'.",
      byName: "A {{kind}} file takes from '{{source}}' only by name: {{names}}.",
      ambient: 'A {{kind}} file may not use {{name}} ({{family}}): take it as an argument or a port.',
      computed: 'A {{kind}} file may not load what is decided at run time.',
      reaching:
        '{{name}} reaches out: only fetch-inside.http.ts and fetch-outside.http.ts do (and those REACHING names). Take one as a port.',
      dev: "'{{source}}' is a development dependency; it is not there where a service runs.",
    },
  },
  create(context) {
    const path = relative(root, context.filename).split(sep).join('/');
    const kind = kindOf(path);
    if (kind === undefined) return {};
    if (kind.startsWith('?')) {
      const known = Object.keys(SUFFIXES).join(', ');
      return {
        Program: (node) => context.report({ node, messageId: 'unknown', data: { kind: kind.slice(1), known } }),
      };
    }
    if (contractFolders.some((folder) => path.startsWith(folder)) && !CONTRACT_KINDS.includes(kind)) {
      return { Program: (node) => context.report({ node, messageId: 'layer', data: { kind } }) };
    }
    const may = SUFFIXES[kind] ?? PLACES[kind];
    const reaches = may.tests === true || REACHING.includes(path);
    const report = (node, messageId, data) => context.report({ node, messageId, data: { kind, ...data } });

    /** @param names what is taken; undefined = the whole of it, or its default */
    const load = (node, source, names) => {
      if (may.only !== undefined && !isOpenTo(may.only, source)) {
        report(node, 'only', { source, only: may.only.join(', ') });
      } else if (isOurs(source)) {
        const target = kindOfImport(source);
        if (target !== 'pure' && target !== 'table' && may.files !== 'all' && !may.files.includes(target)) {
          report(node, 'file', { source, target });
        }
      } else if (!source.startsWith('.')) {
        loadPackage(node, source, names);
      }
    };
    const loadPackage = (node, source, names) => {
      const name = packageOf(source);
      const family = familyOf(name);
      const pure = PURE_NAMES[name];
      if (family !== undefined && !may.families.includes(family)) {
        if (pure === undefined) report(node, 'package', { source, family });
        else if (names === undefined || names.some((each) => !pure.includes(each))) {
          report(node, 'byName', { source, names: pure.join(', ') });
        }
      }
      if (family === 'network' && may.families.includes(family) && !reaches) {
        const known = LISTENING[name] ?? [];
        const outward = names === undefined ? ['all of it'] : names.filter((each) => !known.includes(each));
        if (outward.length > 0) report(node, 'reaching', { name: `${outward.join(', ')} of ${source}` });
      }
      for (const [each, ambient] of Object.entries(AMBIENT_NAMES[name] ?? {})) {
        if (may.ambient.includes(ambient) || (names !== undefined && !names.includes(each))) continue;
        report(node, 'ambient', { name: `${each} of ${source}`, family: ambient });
      }
      if (may.tests !== true && devPackages.includes(name)) report(node, 'dev', { source });
    };
    const fromSource = (node) => {
      if (!node.source || node.importKind === 'type' || node.exportKind === 'type') return;
      load(node, node.source.value, node.specifiers && namesOf(node.specifiers));
    };
    return {
      ImportDeclaration: fromSource,
      ExportNamedDeclaration: fromSource,
      ExportAllDeclaration: fromSource,
      ImportExpression(node) {
        if (node.source.type === 'Literal') load(node, node.source.value);
        else if (may.files !== 'all') report(node, 'computed', {});
      },
      'Program:exit'() {
        for (const { node, name, family } of ambientUses(context.sourceCode)) {
          if (!may.ambient.includes(family)) report(node, 'ambient', { name, family });
          else if (family === 'network' && !reaches) report(node, 'reaching', { name });
        }
      },
    };
  },
};

const contractLibs = projects.filter(({ layer }) => layer === 'contract');
const contractPackages = contractLibs.map(({ name }) => name);
const contractFolders = contractLibs.map(({ folder }) => `${folder}/`);
const builtins = new Set(builtinModules);

const isOurs = (source) => source.startsWith('@portcullis/') || /^\.{1,2}\/.*\.[jt]s$/.test(source);
const isOpenTo = (patterns, source) =>
  contractPackages.includes(packageOf(source)) || patterns.some((pattern) => matches(pattern, source));
const matches = (pattern, name) => new RegExp(`^${pattern.replaceAll('*', '[^/]+')}$`).test(name);

/** `fs/promises` -> `node:fs`, `@nestjs/common/x` -> `@nestjs/common` */
function packageOf(source) {
  const [first, second] = source.split('/');
  if (first.startsWith('@')) return `${first}/${second}`;
  return builtins.has(first) && !first.startsWith('node:') ? `node:${first}` : first;
}

/** @returns undefined for a free package; a module of Node that no family names belongs to nobody */
function familyOf(name) {
  const found = Object.entries(FAMILIES).find(([, patterns]) => patterns.some((pattern) => matches(pattern, name)));
  return found?.[0] ?? (name.startsWith('node:') ? 'system' : undefined);
}

function namesOf(specifiers) {
  const named = specifiers.filter(({ importKind }) => importKind !== 'type');
  const whole = named.some(({ type }) => type === 'ImportDefaultSpecifier' || type === 'ImportNamespaceSpecifier');
  return whole ? undefined : named.map(({ imported, local }) => (imported ?? local).name);
}

const ambientFamily = new Map(
  Object.entries(AMBIENT).flatMap(([family, names]) => names.map((name) => [name, family])),
);

/** Every use of a name of AMBIENT that no declaration of the file explains. */
function* ambientUses({ scopeManager }) {
  for (const scope of scopeManager.scopes) {
    for (const { identifier, resolved } of scope.references) {
      if ((resolved?.defs.length ?? 0) > 0 || identifier.parent.type === 'TSTypeQuery') continue;
      const name = spelled(identifier);
      const family = ambientFamily.get(name);
      if (family !== undefined) yield { node: identifier, name, family };
    }
  }
}

/** `Date.now`, `new Date`, `fetch`; what hangs on globalThis is spelled without it. */
function spelled(identifier) {
  let node = identifier;
  let name = identifier.name;
  const member = () => {
    const { parent } = node;
    if (parent.type !== 'MemberExpression' || parent.object !== node) return undefined;
    return parent.computed ? parent.property.value : parent.property.name;
  };
  if (name === 'globalThis' || name === 'global') {
    name = member();
    node = node.parent;
  }
  if (ambientFamily.has(name)) return name;
  const { parent } = node;
  if (
    name === 'Date' &&
    parent.type.endsWith('Expression') &&
    parent.callee === node &&
    parent.arguments.length === 0
  ) {
    return 'new Date';
  }
  return `${name}.${member()}`;
}

export const suffix = [
  {
    files: ['{libs,apps}/*/{src,e2e}/**/*.ts'],
    plugins: { suffix: { rules: { 'says-what-it-loads': suffixRule } } },
    rules: { 'suffix/says-what-it-loads': 'error' },
  },
];
