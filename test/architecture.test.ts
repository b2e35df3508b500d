import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { KEPT_IN, MAY_IMPORT, MOST_LINES, violations } from './support/architecture.ts'

const src = join(import.meta.dirname, '../src')
const files = globSync('**/*.ts', { cwd: src }).sort()

it('looks at the whole of src', () => {
  expect(files.length).toBeGreaterThan(80)
  expect(files).toContain('core/keys/ring.ts')
})

it.each(files)('%s keeps to the map', (file) => {
  expect(violations(file, readFileSync(join(src, file), 'utf8'))).toEqual([])
})

describe('the map', () => {
  it.each([
    ['core/keys/verify.ts', "import { keysIn } from '../../store/keys.ts'", 'core → store/keys.ts'],
    ['core/policy.ts', "import type { Log } from '../log.ts'", 'core → log.ts'],
    ['core/policy.ts', "const log = await import('../log.ts')", 'core → log.ts'],
    ['core/policy.ts', "export { json } from '../api/serve.ts'", 'core → api/serve.ts'],
    ['api/keys.ts', "import { shell } from '../admin/shell.ts'", 'api → admin/shell.ts'],
    ['api/keys.ts', "import { openStore } from '../store/open.ts'", 'api → store/open.ts'],
    ['admin/keys.ts', "import '../gateway/routes.ts'", 'admin → gateway/routes.ts'],
    ['gateway/routes.ts', "import {\n  a,\n  b,\n} from '../cli/run.ts'", 'gateway → cli/run.ts'],
    ['http/seen.ts', 'import x from "../api/routes.ts"', 'http → api/routes.ts'],
    ['cli/keys.ts', "import '../admin/keys.ts'", 'cli → admin/keys.ts'],
    ['http/seen.ts', "import '../../test/support/start.ts'", 'http → ../test/support/start.ts leaves src'],
  ])('shows a planted import: %s', (file, text, sentence) => {
    expect(violations(file, text)).toEqual([sentence])
  })

  it.each([
    ['api/keys.ts', "import { Kysely } from 'kysely'", 'SQL'],
    ['core/ids.ts', "const db = await import('better-sqlite3')", 'SQL'],
    ['gateway/routes.ts', "import express from 'express'", 'express'],
    ['core/tools.ts', "import { Client } from '@modelcontextprotocol/client'", 'MCP'],
    ['http/hosts.ts', 'const debug = process.env.DEBUG', 'the environment'],
    ['store/open.ts', "console.log('here')", 'the console'],
    ['core/keys/key.ts', 'if (key.expiresAt < new Date()) return', 'the clock'],
  ])('shows what is out of place: %s', (file, text, what) => {
    expect(violations(file, text)).toEqual([expect.stringContaining(`knows ${what}`)])
  })

  it('shows a file that grew too long, and a room it does not know', () => {
    expect(violations('core/ids.ts', '\n'.repeat(MOST_LINES))).toEqual([expect.stringContaining('lines')])
    expect(violations('helpers/strings.ts', '')).toEqual([expect.stringContaining('does not know')])
  })

  it('reads code, not comments', () => {
    expect(violations('core/ids.ts', "// see process.env and import('../log.ts')\n/* console.log */")).toEqual([])
  })

  it('lets nobody but the joints know the store, and no door another', () => {
    const knowStore = Object.keys(MAY_IMPORT).filter((home) => MAY_IMPORT[home]!.includes('store'))
    expect(knowStore.sort()).toEqual(['cli', 'context.ts'])
    const doors = ['gateway', 'api', 'admin', 'cli']
    for (const door of doors)
      expect(
        MAY_IMPORT[door]!.filter((target) => doors.includes(target) || (target === 'store' && door !== 'cli')),
      ).toEqual([])
    expect(MAY_IMPORT.core).toEqual([])
  })

  it('names only rooms that may exist', () => {
    const rooms = new Set(Object.keys(MAY_IMPORT))
    for (const homes of [...Object.values(MAY_IMPORT), ...KEPT_IN.map(([, , homes]) => homes)])
      for (const home of homes) expect(rooms).toContain(home)
  })
})
