export default {
  testEnvironment: '<rootDir>/scripts/fast-env.cjs',
  roots: ['kernel', 'model', 'wire', 'chassis', 'tsdb', 'promql', 'store', 'operator', 'scraper', 'querier', 'ruler', 'cli', 'ui', 'e2e', 'bench'].map(
    (room) => `<rootDir>/${room}`,
  ),
  testMatch: ['**/dist/**/*.test.js'],
  testPathIgnorePatterns: ['/node_modules/', '/e2e/dist/cluster/', '/e2e/dist/browser/', '/e2e/dist/conformance/'],
  transform: {},
};
