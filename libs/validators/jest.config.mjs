import preset from '../../jest.preset.mjs';

export default { ...preset, displayName: 'validators', rootDir: import.meta.dirname };
