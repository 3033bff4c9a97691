import preset from '../../jest.preset.mjs';

export default { ...preset, displayName: 'rate-limiter', rootDir: import.meta.dirname };
