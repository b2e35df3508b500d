import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { COUNTED } from './deciding.ts'

afterAll(() => {
  const { __coverage__: counted = {} } = globalThis as { __coverage__?: object }
  writeFileSync(join(COUNTED, `${randomUUID()}.json`), JSON.stringify(counted))
})
