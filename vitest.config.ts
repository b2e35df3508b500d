import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'threads', // under Bun, vitest 5's default forks cannot start
    maxWorkers: Math.max(2, availableParallelism() - 1), // most files wait more than they work
    reporters: ['default', './test/support/closing-line.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
})
