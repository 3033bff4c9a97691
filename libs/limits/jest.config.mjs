import preset from '../../jest.preset.mjs';

export default { ...preset, displayName: 'limits', rootDir: import.meta.dirname };
