import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { COMMON, type Option } from '../../src/cli/command.ts'
import { COMMANDS } from '../../src/cli/run.ts'
import { folder, PASSWORD, refused, type Terminal, terminal } from './terminal.ts'

const FIXTURE = join(import.meta.dirname, '../fixtures/upstream/main.ts')
const SERVERS = JSON.stringify({ mcpServers: { files: { command: 'files-server' } } })

type Names = { key: string; invitation: string; shell: Terminal }

/** For each command that prints data: what to type in an instance with an owner, a member, a key and an MCP. */
const TYPED: Record<string, (names: Names) => string[]> = {
  'setup-url': () => ['--data-dir', folder()],
  'users create': () => ['cy@example.com', '--password-file', '-'],
  'users list': () => [],
  'users reset-password': () => ['bo@example.com', '--password-file', '-'],
  'users remove': () => ['dan@example.com'],
  'workspaces create': () => ['Lab'],
  'workspaces list': () => [],
  'workspaces rename': () => ['main', 'Other'],
  'workspaces delete': () => ['main', '--yes'],
  'members add': () => ['dan@example.com'],
  'members list': () => [],
  'members set-role': () => ['bo@example.com', 'admin'],
  'members remove': () => ['bo@example.com'],
  'members invite': () => [],
  'members invitations': () => [],
  'members withdraw': ({ invitation }) => [invitation],
  'keys create': () => ['--name', 'y'],
  'keys list': () => [],
  'keys show': ({ key }) => [key],
  'keys edit': () => ['x', '--rate', '5'],
  'keys disable': () => ['x'],
  'keys enable': () => ['x'],
  'keys rotate': () => ['x'],
  'keys finish-rotation': () => ['x'],
  'keys revoke': () => ['x'],
  'keys impact': () => ['x'],
  'keys import': () => ['--name', 'y', '--sha256', 'ab'.repeat(32)],
  'keys delete': () => ['x'],
  'keys verify': () => ['-'],
  'mcps add': () => ['wiki', '--url', 'https://wiki.example.com/mcp'],
  'mcps list': () => [],
  'mcps show': () => ['fixture'],
  'mcps edit': () => ['fixture', '--timeout', '5'],
  'mcps import': ({ shell }) => [shell.file('servers.json', SERVERS)],
  'mcps refresh': () => ['fixture'],
  'repos add': () => ['handbook'],
  'repos list': () => [],
  connect: () => ['codex', '--mcp', 'fixture'],
  'audit list': () => [],
  'audit verify': () => [],
  'config print': () => [],
  version: () => [],
}

const withJson = COMMANDS.filter(({ options }) => options?.json)
const optionsOf = (command: (typeof COMMANDS)[number]): [string, Option][] =>
  Object.entries({ ...COMMON, ...command.options })

describe.each(COMMANDS)('claviger $name', (command) => {
  it('has help that shows every option', async () => {
    const { type, good } = terminal()
    const said = await type([...command.name.split(' '), '--help'])
    expect(said).toMatchObject({ code: 0, err: '' })
    expect(said.out).toContain(command.about)
    for (const [name, { about }] of optionsOf(command)) {
      expect(said.out).toMatch(new RegExp(`^  --${name}[ .]`, 'm'))
      expect(said.out).toContain(about)
    }
    expect(await good('help', ...command.name.split(' '))).toBe(said.out)
    expect(await good('help')).toContain(command.about)
  })

  it('refuses an option it does not know, and suggests one', async () => {
    const { claviger } = terminal()
    expect(await claviger(...command.name.split(' '), '--hepl')).toEqual(
      refused(2, `--hepl is no option of \`claviger ${command.name}\`. Did you mean --help?`),
    )
  })

  it('asks for no secret as an argument', () => {
    // a key may be given to `connect` in hand, as it may be read from standard input
    for (const [name, { value }] of optionsOf(command))
      if (/(password|secret|token|key)$/.test(name) && name !== 'tls-key' && command.name !== 'connect')
        expect([name, value]).toEqual([name, undefined])
  })
})

describe('--json', () => {
  const template = mkdtempSync(join(tmpdir(), 'claviger-cli-'))
  const names = { key: '', invitation: '', fullKey: '' }
  afterAll(() => rmSync(template, { recursive: true, force: true }))

  beforeAll(async () => {
    const shell = terminal({ dataDir: template })
    for (const [email, ...more] of [['ana@example.com', '--owner'], ['bo@example.com'], ['dan@example.com']])
      await shell.user(email!, ...more)
    await shell.good('members', 'add', 'bo@example.com')
    names.invitation = (await shell.json('members', 'invite')).id
    const made = await shell.json('keys', 'create', '--name', 'x')
    names.key = made.id
    names.fullKey = made.key
    await shell.good('mcps', 'add', 'fixture', '--', process.execPath, FIXTURE, '--stdio')
  })

  it('is known of every command that has it', () => {
    expect(withJson.map(({ name }) => name).sort()).toEqual(Object.keys(TYPED).sort())
  })

  it.each(withJson.map(({ name }) => name))('is all that %s prints', async (name) => {
    const dataDir = join(folder(), 'data')
    cpSync(template, dataDir, { recursive: true })
    const shell = terminal({ dataDir })
    const stdin = name === 'keys verify' ? names.fullKey : PASSWORD
    const said = await shell.type([...name.split(' '), ...TYPED[name]!({ ...names, shell }), '--json'], { stdin })
    expect(said).toMatchObject({ code: 0, err: '' })
    expect(JSON.parse(said.out)).toBeTypeOf('object')
  })
})
