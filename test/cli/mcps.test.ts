import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { refused, terminal } from './terminal.ts'

const FIXTURE = join(import.meta.dirname, '../fixtures/upstream/main.ts')

async function shellWithWorkspace() {
  const shell = terminal()
  await shell.good('workspaces', 'create', 'Lab')
  return shell
}

describe('mcps add', () => {
  it('takes a command after the dashes, with all of its own options', async () => {
    const shell = await shellWithWorkspace()
    await shell.good(
      'mcps',
      'add',
      'files',
      '--set-env',
      'TOKEN=very-secret',
      '--',
      'npx',
      '-y',
      'a-server',
      '--json',
      '/srv',
    )
    const shown = await shell.json('mcps', 'show', 'files')
    expect(shown).toMatchObject({
      transport: 'stdio',
      isolation: 'shared',
      live: { command: 'npx', args: ['-y', 'a-server', '--json', '/srv'], env: ['TOKEN'] },
      test: null,
    })
    expect(JSON.stringify(shown)).not.toContain('very-secret')
  })

  it('keeps secrets among the arguments to itself, on the screen and on the disk', async () => {
    const shell = await shellWithWorkspace()
    const said = [
      await shell.good(
        'mcps',
        'add',
        'shop',
        '--',
        'npx',
        'db',
        '--token',
        'hunter2',
        'postgres://ana:hunter2@db/shop',
      ),
      await shell.good('mcps', 'list'),
      await shell.good('mcps', 'show', 'shop'),
      await shell.good('audit', 'list', '--json'),
    ]
    expect(said[1]).toContain('npx db --token … postgres://ana:…@db/shop')
    expect(said.join()).not.toContain('hunter2')
    for (const file of readdirSync(shell.dataDir, { recursive: true, withFileTypes: true }).filter((one) =>
      one.isFile(),
    ))
      expect(readFileSync(join(file.parentPath, file.name)).includes('hunter2'), file.name).toBe(false)
  })

  it('takes addresses, and a header from a file', async () => {
    const shell = await shellWithWorkspace()
    const file = shell.file('token', 'Bearer very-secret\n')
    const options = [
      '--url',
      'https://a.example/mcp',
      '--header-file',
      `Authorization: ${file}`,
      '--test-url',
      'https://b.example/mcp',
      '--test-header-file',
      `X-Key: ${file}`,
    ]
    await shell.good('mcps', 'add', 'wiki', ...options)
    expect(await shell.json('mcps', 'show', 'wiki')).toMatchObject({
      isolation: 'per-session',
      live: { url: 'https://a.example/mcp', headers: ['Authorization'] },
      test: { url: 'https://b.example/mcp', headers: ['X-Key'] },
    })
  })

  it('says what is missing or wrong', async () => {
    const { claviger, good } = await shellWithWorkspace()
    await good('mcps', 'add', 'wiki', '--url', 'https://a.example/mcp')
    expect(await claviger('mcps', 'add', 'wiki', '--url', 'https://a.example/mcp')).toEqual(
      refused(1, 'called wiki already'),
    )
    expect(await claviger('mcps', 'add', 'x')).toEqual(refused(2, 'Give --url URL'))
    expect(await claviger('mcps', 'add', 'A b', '--url', 'https://a.example/mcp')).toEqual(
      refused(2, 'A slug is 1 to 32'),
    )
    expect(await claviger('mcps', 'add', 'x', '--url', 'ftp://a.example')).toEqual(refused(2, 'Write an address'))
    expect(await claviger('mcps', 'add', 'x', '--url', 'https://a.example', '--header', 'nonsense')).toEqual(
      refused(2, 'NAME: VALUE'),
    )
    expect(await claviger('mcps', 'add', 'x', '--url', 'https://a.example', '--', 'npx')).toEqual(
      refused(2, 'only one of them'),
    )
  })
})

it('replaces one target and leaves the other', async () => {
  const shell = await shellWithWorkspace()
  await shell.good('mcps', 'add', 'wiki', '--url', 'https://a.example/mcp', '--test-url', 'https://b.example/mcp')
  await shell.good('mcps', 'edit', 'wiki', '--test-url', 'https://c.example/mcp', '--timeout', '30')
  expect(await shell.json('mcps', 'show', 'wiki')).toMatchObject({
    live: { url: 'https://a.example/mcp' },
    test: { url: 'https://c.example/mcp' },
    timeout_seconds: 30,
  })
})

it('brings the servers of a client, and names those it could not', async () => {
  const shell = await shellWithWorkspace()
  const config = {
    mcpServers: {
      'My Files': { command: 'npx', args: ['-y', 'files'], env: { A: 'very-secret' } },
      remote: { type: 'http', url: 'https://a.example/mcp', headers: { Authorization: 'Bearer ${env:TOKEN}' } },
      'bad\u001b[31m': {},
      off: { command: 'x', disabled: true },
    },
  }
  const { code, out, err } = await shell.claviger('mcps', 'import', shell.file('config.json', JSON.stringify(config)))
  expect(code).toBe(1)
  expect(out).toBe('Added my-files (stdio).\nAdded remote (http).\n')
  expect(err).toContain('has neither `command` nor `url`')
  expect(err).toContain('off')
  expect(err).not.toContain('\u001b')
})

it('reads what VS Code writes, comments and all', async () => {
  const shell = await shellWithWorkspace()
  const text =
    '{\n  // ours\n  "servers": { "wiki": { "type": "http", "url": "https://a.example//mcp" /* keep */ } }\n}'
  expect(await shell.good('mcps', 'import', shell.file('mcp.json', text))).toBe('Added wiki (http).\n')
  expect(await shell.json('mcps', 'show', 'wiki')).toMatchObject({ live: { url: 'https://a.example//mcp' } })
})

it('asks a server what it offers, and says why one cannot be asked', async () => {
  const shell = await shellWithWorkspace()
  await shell.good('mcps', 'add', 'fix', '--', process.execPath, FIXTURE, '--stdio')
  await shell.good('mcps', 'add', 'gone', '--', 'no-such-command')
  expect(await shell.good('mcps', 'refresh', 'fix')).toContain('test_simple_text')
  expect(await shell.claviger('mcps', 'refresh', 'gone')).toEqual(refused(1, 'no command no-such-command'))
})

it('removes a server when asked twice', async () => {
  const shell = await shellWithWorkspace()
  await shell.good('mcps', 'add', 'wiki', '--url', 'https://a.example/mcp')
  expect(await shell.claviger('mcps', 'remove', 'wiki')).toEqual(refused(1, 'Repeat with --yes'))
  await shell.good('mcps', 'remove', 'wiki', '--yes')
  expect(await shell.json('mcps', 'list')).toMatchObject([{ slug: 'docs' }])
})
