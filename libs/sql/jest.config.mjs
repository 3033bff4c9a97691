import preset from '../../jest.preset.mjs';

export default { ...preset, displayName: 'sql', rootDir: import.meta.dirname };
