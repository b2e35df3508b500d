import { type Case, lineWith, type World } from '../case.ts'

const PACKAGE = { name: '@anthropic-ai/claude-code', version: '2.1.329' }
const QUIET = { CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1', DISABLE_AUTOUPDATER: '1', DISABLE_TELEMETRY: '1' }

/** Of a URL with a key in it Claude Code shows no more than that it met a 404 where it looked for OAuth. */
const NO_WORDS = /gw: .*Failed to connect/

type Presented = { url: string; header?: string }

/** Every way of presenting a key, and the address of all MCPs. */
const WAYS: Record<string, (world: World) => Presented> = {
  Bearer: ({ url, key }) => ({ url, header: `Authorization: Bearer ${key}` }),
  ApiKey: ({ url, key }) => ({ url, header: `Authorization: ApiKey ${key}` }),
  'X-API-Key': ({ url, key }) => ({ url, header: `X-API-Key: ${key}` }),
  '?api_key=': ({ url, key }) => ({ url: `${url}?api_key=${key}` }),
  'Bearer, /mcp': ({ urlOfAll, key }) => ({ url: urlOfAll, header: `Authorization: Bearer ${key}` }),
}

export const claudeCode: Case[] = Object.entries(WAYS).map(([way, present]) => ({
  name: `Claude Code, ${way}`,
  package: PACKAGE,
  async run(world) {
    const { url, header } = present(world)
    const claude = (...args: string[]) => world.run('claude', args, QUIET)

    await world.step('list', async () => {
      const added = await claude(
        'mcp',
        'add',
        '--transport',
        'http',
        'gw',
        url,
        ...(header ? ['--header', header] : []),
      )
      lineWith(/Added HTTP MCP server gw/, added.all)
      return lineWith(/gw: .*Connected/, (await claude('mcp', 'list')).all)
    })
    await world.step('call', async () => {
      const [name, value] = header?.split(': ') ?? []
      const server = { type: 'http', url, ...(name && { headers: { [name]: value } }) }
      const said = await world.run(
        'claude',
        [
          ...['-p', 'Call the tool.', '--mcp-config', JSON.stringify({ mcpServers: { gw: server } })],
          ...['--strict-mcp-config', '--output-format', 'text'],
          ...['--allowedTools', 'mcp__gw__echo', 'mcp__gw__fix__echo'],
        ],
        { ...QUIET, ANTHROPIC_BASE_URL: world.model, ANTHROPIC_API_KEY: 'sk-ant-none', ENABLE_TOOL_SEARCH: 'false' },
      )
      return lineWith(new RegExp(`The tool answers: .*${world.words}`), said.all)
    })
    await world.revoke()
    await world.step('refused', async () =>
      lineWith(header ? /gw: .*Failed to connect.*revoked/ : NO_WORDS, (await claude('mcp', 'list')).all),
    )
  },
}))
