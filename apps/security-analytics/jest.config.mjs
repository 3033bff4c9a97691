import preset from '../../jest.preset.mjs';

export default { ...preset, displayName: 'security-analytics', rootDir: import.meta.dirname };
