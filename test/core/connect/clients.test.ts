import { describe, expect, it } from 'vitest'
import { CLIENT_NAMES, type ClientName, clientNamed } from '../../../src/core/connect/clients.ts'
import { connectionFor, PLACEHOLDER, targetFor } from '../../../src/core/connect/connection.ts'
import type { Target, Variant } from '../../../src/core/connect/variant.ts'

const KEY = 'clv_live_Ab3dEf9hKq2LmN8pRs5TuV7wXy1Za4BcD6eF0gHiJk3x7Qz9W'
const ORIGIN = 'https://keys.example.com'
const aggregate = targetFor(ORIGIN, null, KEY)
const one = targetFor(ORIGIN, 'docs', KEY)

const contract =
  'claude-code codex vscode vscode-insiders cursor claude-desktop claude-ai chatgpt gemini-cli copilot-cli opencode amp windsurf zed lm-studio goose kiro cline jetbrains add-mcp n8n json curl typescript python'

it('knows every client of the contract, and no other', () => {
  expect([...CLIENT_NAMES].sort()).toEqual(contract.split(' ').sort())
})

describe.each(CLIENT_NAMES)('%s', (client) => {
  it.each([
    ['everything', aggregate],
    ['one MCP', one],
  ])('is told where to go and with which key, for %s', (_what, target) => {
    const { variants, ...rest } = connectionFor(client, target)
    expect(rest).toEqual({ client, kind: clientNamed(client).kind })
    const [first] = variants
    expect(withoutEscapes(first!, target)).toContain(target.url)
    expect(variants.some((variant) => withoutEscapes(variant, target).includes(KEY))).toBe(true)
    for (const variant of variants) {
      expect(Object.values(variant).filter((text) => text.trim() !== text || text === '')).toEqual([])
      expect(`${variant.content} ${variant.note ?? ''}`).not.toMatch(/undefined|\[object|YOUR_API_KEY/)
    }
    expect(new Set(variants.map(({ title }) => title)).size).toBe(variants.length)
  })

  it('shows where the key belongs when there is none', () => {
    const { variants } = connectionFor(client, targetFor(ORIGIN, 'docs'))
    expect(variants.some((variant) => withoutEscapes(variant, one).includes(PLACEHOLDER))).toBe(true)
  })

  it('is broken by no name, address or key', () => {
    const hostile: Target = {
      name: 'a"b\'$(id)`\n🔑\\',
      url: 'https://keys.example.com/mcp/x"\'$(id)`',
      key: 'k"\'$(id)`&|%PATH%\\',
      variable: 'CLAVIGER_KEY',
    }
    for (const { content, path } of connectionFor(client, hostile).variants)
      if (path?.endsWith('.json')) expect(JSON.stringify(JSON.parse(content))).toContain(JSON.stringify(hostile.name))
  })
})

/** What a client reads of it in the end. */
function withoutEscapes({ content }: Variant, { name }: Target): string {
  const decoded = decodeURIComponent(decodeURIComponent(content.replace(/%(?![0-9A-F]{2})/g, '%25')))
  const config = /[?&]config=([A-Za-z0-9+/=]+)$/.exec(decoded)?.[1]
  expect(`${content}${name}`).not.toBe('')
  return config ? `${decoded} ${Buffer.from(config, 'base64')}` : decoded
}

describe('a link, read back as its client reads it', () => {
  const target: Target = { ...one, name: 'do cs"&=+🔑' }
  const server = { url: target.url, headers: { Authorization: `Bearer ${KEY}` } }
  const links = (client: ClientName) =>
    connectionFor(client, target)
      .variants.map(({ content }) => content)
      .filter((content) => /^[a-z-]+:/.test(content))

  it.each([
    ['vscode', 'vscode:mcp/install?'],
    ['vscode-insiders', 'vscode-insiders:mcp/install?'],
  ] as const)('%s', (client, start) => {
    const [direct, asking] = links(client).map((link) => {
      expect(link.startsWith(start)).toBe(true)
      return JSON.parse(decodeURIComponent(link.slice(start.length)))
    })
    expect(direct).toEqual({ name: target.name, type: 'http', ...server })
    expect(asking).toEqual({
      name: target.name,
      type: 'http',
      url: target.url,
      headers: { Authorization: 'Bearer ${input:mcp_key_docs}' },
      inputs: [{ id: 'mcp_key_docs', type: 'promptString', description: 'API key', password: true }],
    })
  })

  it.each([
    ['cursor', 'cursor://anysphere.cursor-deeplink/mcp/install'],
    ['lm-studio', 'lmstudio://add_mcp'],
  ] as const)('%s', (client, start) => {
    const [direct] = links(client)
    expect(direct!.startsWith(`${start}?`)).toBe(true)
    const query = new URLSearchParams(direct!.slice(start.length + 1))
    expect(query.get('name')).toBe(target.name)
    expect(JSON.parse(Buffer.from(query.get('config')!, 'base64').toString())).toEqual(server)
  })

  it('cursor, with the key in a variable', () => {
    const query = new URL(links('cursor')[1]!).searchParams
    expect(JSON.parse(Buffer.from(query.get('config')!, 'base64').toString())).toEqual({
      url: target.url,
      headers: { Authorization: 'Bearer ${env:MCP_KEY_DOCS}' },
    })
  })

  it('goose, which decodes a header twice', () => {
    const query = new URL(links('goose')[0]!).searchParams
    expect(Object.fromEntries(query)).toMatchObject({
      url: target.url,
      type: 'streamable_http',
      id: target.name,
      name: target.name,
    })
    const [name, ...value] = query.get('header')!.split('=')
    expect([name, value.length, decodeURIComponent(value[0]!)]).toEqual(['Authorization', 1, `Bearer ${KEY}`])
  })

  it('claude.ai, with the key in the address alone', () => {
    const query = new URL(links('claude-ai')[1]!).searchParams
    expect(query.get('connectorName')).toBe(target.name)
    expect(query.get('connectorUrl')).toBe(`${target.url}?api_key=${KEY}`)
  })

  it('Kiro, whose links pass through a web page, without the key', () => {
    const link = links('kiro')[0]!
    expect(JSON.parse(new URL(link).searchParams.get('config')!)).toEqual({
      url: target.url,
      headers: { Authorization: 'Bearer ${MCP_KEY_DOCS}' },
    })
    expect(link).not.toContain(KEY)
  })
})

describe('a client that calls from the internet', () => {
  const notes = (client: ClientName, origin: string) =>
    connectionFor(client, targetFor(origin, null, KEY)).variants.map(({ note }) => note ?? '')
  const within = 'http://127.0.0.1:8484 can be reached from this machine'

  it.each(['claude-ai', 'chatgpt'] as const)(
    'is not sent to an address it cannot reach without a word: %s',
    (client) => {
      for (const note of notes(client, 'http://127.0.0.1:8484')) expect(note).toContain(within)
      for (const note of notes(client, ORIGIN)) expect(note).not.toContain('can be reached')
    },
  )

  it('is told so where it has no other way alone: Claude Desktop', () => {
    expect(notes('claude-desktop', 'http://127.0.0.1:8484').map((note) => note.includes(within))).toEqual([
      true,
      false,
      false,
    ])
  })

  it('finds the form of ChatGPT', () => {
    const [way] = connectionFor('chatgpt', aggregate).variants
    expect(way!.path).toMatch(/^chatgpt\.com\/plugins, \+, Add custom MCP server/)
    expect(way!.note).toContain('developer mode')
  })
})

it('never leaves it unsaid that a key must be put into a variable', () => {
  for (const client of CLIENT_NAMES)
    for (const { content, note = '', title } of connectionFor(client, aggregate).variants)
      if (!withoutEscapes({ content, title }, aggregate).includes(KEY) && content.includes('CLAVIGER_KEY'))
        expect([client, title, note]).toEqual([client, title, expect.stringContaining('CLAVIGER_KEY')])
})

describe('files', () => {
  const fileOf = (client: ClientName, path: string, target = one) =>
    connectionFor(client, target).variants.find((variant) => variant.path === path)!.content
  const headers = { Authorization: `Bearer ${KEY}` }

  it.each([
    ['cursor', '~/.cursor/mcp.json', { mcpServers: { docs: { url: one.url, headers } } }],
    ['kiro', '~/.kiro/settings/mcp.json', { mcpServers: { docs: { url: one.url, headers } } }],
    ['windsurf', '~/.codeium/windsurf/mcp_config.json', { mcpServers: { docs: { serverUrl: one.url, headers } } }],
    ['zed', '~/.config/zed/settings.json', { context_servers: { docs: { url: one.url, headers } } }],
    [
      'cline',
      'cline_mcp_settings.json',
      { mcpServers: { docs: { type: 'streamableHttp', url: one.url, headers, disabled: false } } },
    ],
    ['amp', '~/.config/amp/settings.json', { 'amp.mcpServers': { docs: { url: one.url, headers } } }],
  ] as const)('%s reads %s', (client, path, wanted) => {
    expect(JSON.parse(fileOf(client, path))).toEqual(wanted)
  })

  it('are TOML for Codex', () => {
    expect(Bun.TOML.parse(fileOf('codex', '~/.codex/config.toml'))).toEqual({
      mcp_servers: { docs: { url: one.url, http_headers: headers } },
    })
    const odd = { ...one, name: 'a "b".c' }
    expect(Bun.TOML.parse(fileOf('codex', '~/.codex/config.toml', odd))).toHaveProperty(['mcp_servers', odd.name])
  })

  it('are YAML for Goose', () => {
    expect(Bun.YAML.parse(fileOf('goose', '~/.config/goose/config.yaml', targetFor(ORIGIN, 'on', KEY)))).toMatchObject({
      extensions: { on: { type: 'streamable_http', uri: `${ORIGIN}/mcp/on`, headers, enabled: true, timeout: 300 } },
    })
  })

  it('allow plain http to mcp-remote only where it must', () => {
    const args = (origin: string) =>
      fileOf('claude-desktop', 'claude_desktop_config.json', targetFor(origin, null, KEY))
    expect(args('http://127.0.0.1:8484')).not.toContain('--allow-http')
    expect(args('http://[::1]:8484')).not.toContain('--allow-http')
    expect(args('https://keys.example.com')).not.toContain('--allow-http')
    expect(args('http://10.0.0.7:8484')).toContain('--allow-http')
  })
})

describe('the name that a client gives the server', () => {
  it.each([
    [null, 'claviger', 'CLAVIGER_KEY'],
    ['docs', 'docs', 'MCP_KEY_DOCS'],
    ['company-wiki', 'company-wiki', 'MCP_KEY_COMPANY_WIKI'],
    ['-x', 'mcp-x', 'MCP_KEY__X'],
  ])('for %s is %s', (slug, name, variable) => {
    expect(targetFor(ORIGIN, slug)).toMatchObject({ name, variable })
  })
})
