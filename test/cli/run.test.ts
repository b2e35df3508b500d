import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { sentenceOf } from '../../src/cli/failures.ts'
import { folder, refused, terminal } from './terminal.ts'

describe('claviger', () => {
  it('lists every command', async () => {
    const { type } = terminal()
    const said = await type(['help'])
    expect(said).toMatchObject({ code: 0, err: '', out: expect.stringContaining('keys create') })
    for (const argv of [['--help'], ['-h'], ['help', '--help']]) expect(await type(argv)).toEqual(said)
    expect(await type([])).toEqual({ ...said, code: 2 })
  })

  it('lists the verbs of a noun', async () => {
    const { type } = terminal()
    const said = await type(['keys'])
    expect(said).toMatchObject({ code: 2, out: expect.stringContaining('keys revoke KEY') })
    expect(said.out).not.toContain('users')
    for (const argv of [
      ['keys', '--help'],
      ['help', 'keys'],
      ['keys', 'what', '--help'],
    ])
      expect(await type(argv)).toEqual({ ...said, code: 0 })
  })

  it.each([
    [['keys', 'creat'], 'keys create'],
    [['key', 'list'], 'keys list'],
    [['key'], 'keys'],
    [['user', 'create', '--owner'], 'users create'],
    [['srve'], 'serve'],
    [['members', 'rm'], 'members add'],
  ])('suggests the nearest to %s', async (argv, nearest) => {
    expect(await terminal().claviger(...argv)).toEqual(refused(2, `Did you mean \`claviger ${nearest}\`?`))
  })

  it('takes common options before the command too', async () => {
    const shell = terminal()
    const dataDir = join(folder(), 'elsewhere')
    await shell.good('workspaces', 'create', 'Lab', '--data-dir', dataDir)
    expect(await shell.json('--data-dir', dataDir, 'workspaces', 'list')).toMatchObject([{ slug: 'lab' }])
    expect(await shell.json(`--data-dir=${dataDir}`, 'workspaces', 'list')).toHaveLength(1)
    expect(await shell.claviger('--data-dir')).toMatchObject({ code: 2 })
  })

  it('prints its version', async () => {
    const { good } = terminal()
    expect(await good('--version')).toBe(await good('version'))
    expect(await good('-v')).toMatch(/^\d+\.\d+\.\d+\n$/)
  })

  it('refuses settings it does not know, wherever they come from', async () => {
    const shell = terminal()
    expect(await shell.type(['keys', 'list'], { env: { CLAVIGER_PROT: '1' } })).toEqual(refused(2, 'CLAVIGER_PORT'))
    expect(await shell.claviger('keys', 'list', '--config', shell.file('config.json', '{"prot": 1}'))).toEqual(
      refused(2, '"port"'),
    )
    expect(await shell.claviger('keys', 'list', '--config', '/no/such/file')).toEqual(refused(2, '(ENOENT)'))
  })
})

describe('a data directory', () => {
  it('is not made by a command that only reads', async () => {
    const shell = terminal()
    for (const argv of [
      ['keys', 'list'],
      ['users', 'list'],
      ['audit', 'verify'],
      ['keys', 'create', '--name', 'x'],
    ])
      expect(await shell.claviger(...argv)).toEqual(refused(1, `no database of Claviger in ${shell.dataDir}`))
  })

  it('is made by the first workspace, account or setup link', async () => {
    for (const argv of [
      ['workspaces', 'create', 'Lab'],
      ['setup-url'],
      ['users', 'create', 'bo@example.com', '--password-file', '-'],
    ])
      expect(await terminal().type(argv, { stdin: 'zebra-lantern-cobalt-41' })).toMatchObject({ code: 0 })
  })

  it('is refused without its secret', async () => {
    const shell = terminal()
    await shell.good('workspaces', 'create', 'Lab')
    const env = { CLAVIGER_SECRET: 'another secret of more than thirty-two characters' }
    expect(await shell.type(['keys', 'list'], { env })).toEqual(refused(1, 'Put the original CLAVIGER_SECRET'))
  })

  it('is refused with a sentence when it is damaged', async () => {
    const shell = terminal()
    mkdirSync(shell.dataDir, { recursive: true })
    writeFileSync(join(shell.dataDir, 'claviger.db'), 'no database at all, whatever its name says'.repeat(100))
    writeFileSync(join(shell.dataDir, 'secret'), 'x'.repeat(64))
    expect(await shell.claviger('keys', 'list')).toEqual(refused(1, 'Put a backup in its place'))
  })
})

describe('a failure', () => {
  it.each([
    ['SQLITE_BUSY', 'Try again in a moment'],
    ['SQLITE_READONLY_DIRECTORY', 'owns the data directory'],
    ['SQLITE_FULL', 'Make room'],
    ['EACCES', 'owns the data directory'],
  ])('of %s says what to do', (code, says) => {
    expect(sentenceOf(Object.assign(new Error('it went wrong'), { code }))).toContain(says)
  })

  it('of our own says what it says', () => {
    expect(sentenceOf(new Error('Something.'))).toBe('Something.')
    expect(sentenceOf(Object.assign(new Error('Something.'), { code: 'SQLITE_CONSTRAINT' }))).toBe('Something.')
    expect(sentenceOf('thrown text')).toBe('thrown text')
  })
})
