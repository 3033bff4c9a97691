import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** The root of the repository. */
export const root = join(import.meta.dirname, '../..');
const manifest = (folder) => JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));

/** Every project: `{ folder, name, layer }`, read from the package.json files, where the tags are. */
export const projects = ['libs', 'apps'].flatMap((group) =>
  readdirSync(join(root, group)).map((folder) => {
    const { name, nx } = manifest(`${group}/${folder}`);
    return { folder: `${group}/${folder}`, name, layer: nx.tags.find((tag) => tag.startsWith('layer:')).slice(6) };
  }),
);

/** What is installed for work on the repository only, and is not there where a service runs. */
export const devPackages = Object.keys(manifest('.').devDependencies);
