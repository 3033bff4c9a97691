import preset from '../../jest.preset.mjs';

export default { ...preset, displayName: 'scopes', rootDir: import.meta.dirname };
