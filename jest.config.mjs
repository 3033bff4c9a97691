/** One run over all projects, for tools/test.mjs. `nx test PROJECT` runs one of them. */
export default { projects: ['<rootDir>/apps/*', '<rootDir>/libs/*', '<rootDir>/tools'] };
