import { command, commandWithVariable } from './shells.ts'
import { bearer, type Client, named, pretty, type Target } from './variant.ts'

const KEEP = 'Recommended: the configuration then holds no key. Repeat the first line wherever your shell starts.'
const KEY_IN_COMMAND = 'The command holds the key: it stays in the history of your shell and in the client’s file.'

const header = (target: Target) => `Authorization: ${bearer(target)}`
const headerOfVariable = ({ variable }: Target) => `Authorization: Bearer \${${variable}}`

export const claudeCode: Client = {
  label: 'Claude Code',
  kind: 'command',
  variants(target) {
    const { name, url, variable } = target
    const adding = ['claude', 'mcp', 'add', '--scope', 'user', '--transport', 'http', name, url, '--header']
    const server = { type: 'http', url, headers: { Authorization: `Bearer \${${variable}}` } }
    return [
      ...command([...adding, header(target)], { title: 'Command', note: KEY_IN_COMMAND }),
      ...commandWithVariable(target, [...adding, headerOfVariable(target)], { title: 'Key in a variable', note: KEEP }),
      {
        title: 'For everybody in a project',
        path: '.mcp.json',
        content: pretty({ mcpServers: named(name, server) }),
        note: `Holds no key: each person sets ${variable} to their own.`,
      },
    ]
  },
}

export const codex: Client = {
  label: 'Codex',
  kind: 'command',
  variants(target) {
    const { name, url, variable } = target
    const adding = ['codex', 'mcp', 'add', name, '--url', url, '--bearer-token-env-var', variable]
    const table = /^[\w-]+$/.test(name) ? name : JSON.stringify(name)
    return [
      ...commandWithVariable(target, adding, {
        title: 'Command',
        note: 'Codex reads the key from the variable whenever it starts: repeat the first line wherever your shell starts.',
      }),
      {
        title: 'Key in the file',
        path: '~/.codex/config.toml',
        content: `[mcp_servers.${table}]\nurl = ${JSON.stringify(url)}\nhttp_headers = { Authorization = ${JSON.stringify(bearer(target))} }`,
      },
    ]
  },
}

export const geminiCli: Client = {
  label: 'Gemini CLI',
  kind: 'command',
  variants(target) {
    const { name, url, variable } = target
    const adding = ['gemini', 'mcp', 'add', '--transport', 'http', '--scope', 'user', name, url, '--header']
    const server = { type: 'http', url, headers: { Authorization: `Bearer $${variable}` } }
    return [
      ...command([...adding, header(target)], { title: 'Command', note: KEY_IN_COMMAND }),
      ...commandWithVariable(target, [...adding, headerOfVariable(target)], { title: 'Key in a variable', note: KEEP }),
      {
        title: 'File',
        path: '~/.gemini/settings.json',
        content: pretty({ mcpServers: named(name, server) }),
        note: `Holds no key: set ${variable} to it.`,
      },
    ]
  },
}

export const copilotCli: Client = {
  label: 'GitHub Copilot CLI',
  kind: 'command',
  variants(target) {
    const { name, url } = target
    const adding = ['copilot', 'mcp', 'add', '--transport', 'http', name, url, '--header', header(target)]
    const server = { type: 'http', url, headers: { Authorization: bearer(target) }, tools: ['*'] }
    return [
      ...command([...adding, '--tools', '*'], { title: 'Command', note: KEY_IN_COMMAND }),
      { title: 'File', path: '~/.copilot/mcp-config.json', content: pretty({ mcpServers: named(name, server) }) },
    ]
  },
}

export const opencode: Client = {
  label: 'opencode',
  kind: 'command',
  variants(target) {
    const { name, url, variable } = target
    const adding = ['opencode', 'mcp', 'add', name, '--url', url, '--header']
    const server = { type: 'remote', url, headers: { Authorization: `Bearer {env:${variable}}` }, enabled: true }
    return [
      ...command([...adding, `Authorization=${bearer(target)}`], { title: 'Command', note: KEY_IN_COMMAND }),
      ...commandWithVariable(target, [...adding, `Authorization=Bearer {env:${variable}}`], {
        title: 'Key in a variable',
        note: KEEP,
      }),
      {
        title: 'File',
        path: '~/.config/opencode/opencode.json',
        content: pretty({ mcp: named(name, { ...server, oauth: false }) }),
        note: `Holds no key: set ${variable} to it.`,
      },
    ]
  },
}

export const amp: Client = {
  label: 'Amp',
  kind: 'command',
  variants(target) {
    const { name, url } = target
    const server = { url, headers: { Authorization: bearer(target) } }
    return [
      ...command(['amp', 'mcp', 'add', name, '--header', `Authorization=${bearer(target)}`, url], {
        title: 'Command',
        note: KEY_IN_COMMAND,
      }),
      {
        title: 'File',
        path: '~/.config/amp/settings.json',
        content: pretty({ 'amp.mcpServers': named(name, server) }),
      },
    ]
  },
}

export const addMcp: Client = {
  label: 'npx add-mcp',
  kind: 'command',
  variants: (target) =>
    command(
      ['npx', '-y', 'add-mcp', target.url, '--header', header(target), '--name', target.name, '--global', '--yes'],
      { title: 'Command', note: 'Tells every agent that it finds on this machine. Needs Node.js.' },
    ),
}
