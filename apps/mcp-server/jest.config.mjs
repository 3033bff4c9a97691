import preset from '../../jest.preset.mjs';

export default { ...preset, displayName: 'mcp-server', rootDir: import.meta.dirname };
