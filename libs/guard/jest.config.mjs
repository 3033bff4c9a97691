import preset from '../../jest.preset.mjs';

export default { ...preset, displayName: 'guard', rootDir: import.meta.dirname };
