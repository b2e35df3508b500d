import { openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { mapped } from '../../src/store/mapped.ts'
import { folder } from '../support/store.ts'

describe('a mapped file', () => {
  it('shows what is written to it at that moment', () => {
    const path = join(folder(), 'file')
    writeFileSync(path, 'before')
    const bytes = new Uint8Array(mapped(openSync(path, 'r'), 6)!)
    expect(Buffer.from(bytes).toString()).toBe('before')
    writeFileSync(path, 'behind', { flag: 'r+' })
    expect(Buffer.from(bytes).toString()).toBe('behind')
  })

  it('is not to be had where nothing is open', () => {
    expect(mapped(-1, 6)).toBeNull()
  })
})
