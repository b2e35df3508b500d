import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import type { Variant } from '../../../src/core/connect/variant.ts'
import { type Case, lineWith, type World } from '../case.ts'
import type { Package } from '../install.ts'
import { speakTo } from './codex.ts'

/** What `claviger connect` prints, pasted as it is: into bash, or into the file that it names. */

const ROOT = join(import.meta.dirname, '../../..')
const CLAUDE = { name: '@anthropic-ai/claude-code', version: '2.1.329' }
const QUIET = { CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1', DISABLE_AUTOUPDATER: '1', DISABLE_TELEMETRY: '1' }
const GEMINI = { name: '@google/gemini-cli', version: '0.61.0' }
const OPENCODE = { name: 'opencode-ai', version: '1.18.33' }
const REMOTE = { name: 'mcp-remote', version: '0.15.1' }

/** Packages from npm are asked for by npx, which finds nothing where there is no network: the same program from the path. */
const NPX = 'npx() { shift; "$@"; }\n'

type Pasted = {
  client: string
  /** Which of the ways: the beginning of its title. */
  way: string
  package: Package
  seen(world: World, variant: Variant): Promise<string>
}

const inBash =
  (then: string, sign: RegExp, env = {}) =>
  async (world: World, { content }: Variant) =>
    lineWith(sign, (await world.bash(`${NPX}${content}\n${then}`, env)).all)

const ALL: Pasted[] = [
  {
    client: 'claude-code',
    way: 'Command',
    package: CLAUDE,
    seen: inBash('claude mcp list', /fix: .*Connected/, QUIET),
  },
  {
    client: 'claude-code',
    way: 'Key in a variable',
    package: CLAUDE,
    seen: inBash('claude mcp list', /fix: .*Connected/, QUIET),
  },
  {
    client: 'codex',
    way: 'Command',
    package: { name: '@openai/codex', version: '0.169.0' },
    async seen(world, { content }) {
      lineWith(/Added global MCP server 'fix'/, (await world.bash(content)).all)
      return codexSees(world, { [world.variable]: world.key })
    },
  },
  {
    client: 'codex',
    way: 'Key in the file',
    package: { name: '@openai/codex', version: '0.169.0' },
    seen: (world, variant) => codexSees(inFile(world, variant)),
  },
  {
    client: 'gemini-cli',
    way: 'Command',
    package: GEMINI,
    seen: inBash('gemini mcp list', /fix: .* - Connected/, { GEMINI_CLI_TRUST_WORKSPACE: 'true' }),
  },
  {
    client: 'gemini-cli',
    way: 'Key in a variable',
    package: GEMINI,
    seen: inBash('gemini mcp list', /fix: .* - Connected/, { GEMINI_CLI_TRUST_WORKSPACE: 'true' }),
  },
  { client: 'opencode', way: 'Command', package: OPENCODE, seen: inBash('opencode mcp list', /fix connected/) },
  {
    client: 'opencode',
    way: 'Key in a variable',
    package: OPENCODE,
    seen: inBash('opencode mcp list', /fix connected/),
  },
  {
    client: 'copilot-cli',
    way: 'Command',
    package: { name: '@github/copilot', version: '1.0.102' },
    async seen(world, { content }) {
      await world.bash(content)
      return listed(server(world, '.copilot/mcp-config.json', 'mcpServers'))
    },
  },
  {
    client: 'amp',
    way: 'Command',
    package: { name: '@sourcegraph/amp', version: '0.0.1790142911-g7618fb' },
    async seen(world, { content }) {
      await world.bash(content)
      return listed(server(world, '.config/amp/settings.json', 'amp.mcpServers'))
    },
  },
  {
    client: 'add-mcp',
    way: 'Command',
    package: { name: 'add-mcp', version: '2.4.0' },
    async seen(world, { content }) {
      mkdirSync(join(world.home, '.cursor'))
      await world.bash(NPX + content)
      return listed(server(world, '.cursor/mcp.json', 'mcpServers'))
    },
  },
  {
    client: 'claude-desktop',
    way: 'Through mcp-remote',
    package: REMOTE,
    async seen(world, { content }) {
      const { args, env } = JSON.parse(content).mcpServers.fix
      const [, program, ...rest] = args
      const { command, env: own } = world.programFor(program)
      return listedBy(new StdioClientTransport({ command, args: rest, env: { ...own, ...env }, stderr: 'ignore' }))
    },
  },
  {
    client: 'claude-desktop',
    way: 'Through claviger bridge',
    package: REMOTE,
    async seen(world, { content }) {
      const { command, args, env } = JSON.parse(content).mcpServers.fix
      if (command !== 'claviger') throw new Error(content)
      const ours = ['--no-env-file', join(ROOT, 'src/main.ts'), ...args]
      const own = { PATH: process.env.PATH ?? '', HOME: world.home }
      return listedBy(new StdioClientTransport({ command: process.execPath, args: ours, env: { ...own, ...env } }))
    },
  },
  {
    client: 'json',
    way: 'mcpServers',
    package: { name: '@modelcontextprotocol/inspector', version: '2.12.0' },
    async seen(world, { content }) {
      const file = join(world.home, 'mcp.json')
      writeFileSync(file, content)
      const asking = ['--cli', '--config', file, '--server', 'fix', '--method', 'tools/list', '--stored-auth-only']
      return lineWith(/"?echo"?/, (await world.run('mcp-inspector', asking)).all)
    },
  },
  {
    client: 'json',
    way: 'mcpServers',
    package: { name: 'mcporter', version: '0.12.3' },
    async seen(world, { content }) {
      const file = join(world.home, 'mcporter.json')
      writeFileSync(file, content)
      return lineWith(/\d+ tools/, (await world.run('mcporter', ['--config', file, 'list', 'fix'])).all)
    },
  },
  { client: 'curl', way: 'List the tools', package: REMOTE, seen: inBash('', /"name":"echo"/) },
  { client: 'curl', way: 'Key in a variable', package: REMOTE, seen: inBash('', /"name":"echo"/) },
  {
    client: 'python',
    way: 'Python',
    package: REMOTE,
    async seen(world, { content }) {
      const file = join(world.home, 'program.py')
      writeFileSync(file, content)
      const python = process.env.CLAVIGER_TEST_PYTHON // one that has the package mcp
      if (!python) {
        const { all, code } = await world.bash(`python3 -m py_compile ${file}`)
        if (code !== 0) throw new Error(all)
        return 'its syntax alone'
      }
      return lineWith(/^echo$/, (await world.bash(`${python} ${file}`)).all)
    },
  },
]

export const pasted: Case[] = ALL.map(({ client, way, package: from, seen }) => ({
  name: `pasted: ${client}, ${way}${client === 'json' ? ` (${from.name.replace(/^@.*\//, '')})` : ''}`,
  package: from,
  steps: ['list', 'harmless'],
  async run(world) {
    const variant = (await world.connect(client)).find(({ title }) => title.startsWith(way))
    if (!variant) throw new Error(`${client} has no way called ${way}.`)
    await world.step('list', () => seen(world, variant))
    await world.step('harmless', async () => {
      if (existsSync(join(world.home, 'owned'))) throw new Error('A name was executed.')
      return 'nothing in a name was executed'
    })
  },
}))

type Server = { url: string; headers: Record<string, string> }

function server({ home }: World, file: string, member: string): Server {
  const config = JSON.parse(readFileSync(join(home, file), 'utf8'))
  if (!config[member]?.fix) throw new Error(`${file}: ${JSON.stringify(config)}`)
  return config[member].fix
}

/** These clients connect for accounts alone: what they wrote down is used in their stead. */
function listed({ url, headers }: Server): Promise<string> {
  return listedBy(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }) as Transport)
}

async function listedBy(transport: Transport): Promise<string> {
  const client = new Client({ name: 'in-its-stead', version: '1.0.0' })
  await client.connect(transport)
  try {
    const { tools } = await client.listTools()
    if (!tools.some(({ name }) => name === 'echo')) throw new Error(JSON.stringify(tools))
    return `${tools.length} tools`
  } finally {
    await client.close()
  }
}

function inFile(world: World, { path, content }: Variant): World {
  const file = path!.replace('~', world.home)
  mkdirSync(join(file, '..'), { recursive: true })
  writeFileSync(file, content)
  return world
}

async function codexSees(world: World, env: Record<string, string> = {}): Promise<string> {
  const running = world.begin('codex', ['app-server'], env)
  const { tell, ask } = speakTo(running)
  await ask('initialize', { clientInfo: { name: 'script', title: 'Script', version: '1' } })
  tell('initialized')
  const { result } = await ask('mcpServerStatus/list', {})
  await running.end()
  const [status] = result?.data ?? []
  if (!status?.tools.echo) throw new Error(JSON.stringify(result))
  return `${status.name}: ${Object.keys(status.tools).length} tools`
}
