import preset from '../../jest.preset.mjs';

export default { ...preset, displayName: 'redis', rootDir: import.meta.dirname };
