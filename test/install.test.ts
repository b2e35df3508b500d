import { existsSync, globSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import lock from '../package-lock.json'

const root = join(import.meta.dirname, '..')
const locked: Record<string, { version?: string; gypfile?: boolean } | undefined> = lock.packages
const couldBeCompiled = globSync('node_modules/{*,@*/*}/binding.gyp', { cwd: root }).map((file) =>
  file.replaceAll('\\', '/').replace('/binding.gyp', ''),
)

it('finds the package that npm 10 would compile', () => {
  expect(couldBeCompiled).toContain('node_modules/better-sqlite3')
})

/** npm 10 asks the lock file, not the package, whether to run node-gyp; `npm install` forgets to write the answer there. */
it.each(couldBeCompiled)('installs %s without a compiler', (name) => {
  expect(existsSync(join(root, name, 'prebuilds')), 'it brings its machine code along').toBe(true)
  expect(locked[name]?.gypfile, `write "gypfile": false into "${name}" of package-lock.json again`).toBe(false)
})
