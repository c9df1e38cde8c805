import { defineConfig } from 'vitest/config'

export default defineConfig({
  // `varve` and `varve/testing` mean the sources, as tsconfig.json's `paths` says.
  resolve: { tsconfigPaths: true },
  test: {
    include: ['**/*.test.ts'],
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
})
