import preset from '../../jest.preset.mjs';

export default { ...preset, displayName: 'audit-schemas', rootDir: import.meta.dirname };
