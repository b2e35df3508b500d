import { expect, it } from 'vitest'
import { CLIENT_NAMES } from '../../src/core/connect/clients.ts'
import { newFullKey } from '../../src/core/keys/format.ts'
import { refused, terminal } from './terminal.ts'

const KEY = newFullKey('clv', 'live').reveal()

it('prints what to paste, for each client', async () => {
  const { json, good } = terminal()
  for (const client of CLIENT_NAMES) {
    const { variants } = await json('connect', client, '--key', KEY)
    expect(await good('connect', client, '--key', KEY)).toContain(variants[0].content)
  }
})

it('fills in the key and the address that people use', async () => {
  const { good } = terminal()
  const said = await good('connect', 'claude-code', '--key', KEY, '--public-url', 'https://keys.example.com')
  expect(said).toContain(
    `\nclaude mcp add --scope user --transport http claviger https://keys.example.com/mcp --header "Authorization: Bearer ${KEY}"\n`,
  )
})

it('reads the key from standard input, where no process list shows it', async () => {
  const { type } = terminal()
  const said = await type(['connect', 'codex', '--key', '-', '--port', '9000'], { stdin: `${KEY}\n` })
  expect(said).toMatchObject({ code: 0, err: '' })
  expect(said.out).toContain(`export CLAVIGER_KEY='${KEY}'\ncodex mcp add claviger --url http://127.0.0.1:9000/mcp`)
})

it('leads to one MCP, which must be there', async () => {
  const { user, good, claviger } = terminal()
  await user('ana@example.com', '--owner')
  await good('mcps', 'add', 'wiki', '--url', 'https://wiki.example.com/mcp')
  expect(await good('connect', 'json', '--mcp', 'wiki')).toContain('/mcp/wiki"')
  expect(await claviger('connect', 'json', '--mcp', 'wikki')).toMatchObject({ code: 1, out: '' })
})

it('says that a client cannot come to this machine from the internet', async () => {
  const { type } = terminal()
  const said = await type(['connect', 'chatgpt', '--key', KEY])
  expect(said).toMatchObject({
    code: 0,
    err: expect.stringContaining('not from the internet. Set CLAVIGER_PUBLIC_URL'),
  })
  expect(said.out).toContain('not from the internet')
  expect(await type(['connect', 'chatgpt', '--key', KEY, '--public-url', 'https://keys.acme.com'])).toMatchObject({
    err: '',
  })
  expect(await type(['connect', 'codex', '--key', KEY])).toMatchObject({ err: '' })
})

it('doubts what does not look like a key, and says the nearest client', async () => {
  const { type, claviger } = terminal()
  const said = await type(['connect', 'cursor', '--key', KEY.slice(0, -2)])
  expect(said).toMatchObject({ code: 0, err: expect.stringContaining('was it copied whole?') })
  expect(await claviger('connect', 'claud-code')).toEqual(refused(2, 'Did you mean claude-code?'))
  expect(await claviger('connect')).toEqual(refused(2, 'Missing CLIENT'))
})
