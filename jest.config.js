/** Fast tests (rules, services on real PostgreSQL and Redis) and slow ones (guests, processes, the real client) are two projects of one run. */
const shared = {
  rootDir: import.meta.dirname,
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
          target: 'es2024',
          keepClassNames: true,
        },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  moduleNameMapper: {
    // Suites that run a service's parts in their own process name what is built of them.
    '^@nubo/(api|compute-agent|conductor|scheduler)/dist/(.*)\\.js$': '<rootDir>/services/$1/src/$2.ts',
    '^@nubo/deploy$': '<rootDir>/deploy/src/index.ts',
    '^@nubo/([a-z-]+)$': '<rootDir>/libs/$1/src/index.ts',
    '^@nubo/([a-z-]+)/([a-z-]+)$': '<rootDir>/libs/$1/src/$2.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
    '^fast-check$': '<rootDir>/test/seeded-fast-check.js',
  },
  modulePathIgnorePatterns: ['/dist/', '/.nubo/'],
}

export default {
  // Machines with two busy cores are slow; a test that waits for what never comes fails all the same.
  testTimeout: 120_000,
  // A worker keeps what every suite has loaded: it is begun anew before two of them have taken a small machine's memory.
  workerIdleMemoryLimit: '2GB',
  testSequencer: '<rootDir>/test/longest-first.js',
  projects: [
    { ...shared, displayName: 'unit', testMatch: ['<rootDir>/{libs,services,clients,deploy,test}/**/*.spec.ts'] },
    { ...shared, displayName: 'e2e', testMatch: ['<rootDir>/{libs,services,clients,deploy,test}/**/*.e2e.ts'] },
  ],
}
