import { command } from './shells.ts'
import { bridged, remoted } from './stdio.ts'
import { base64, bearer, type Client, named, pretty, type Target, urlWithKey, type Variant } from './variant.ts'

const KEY_IN_LINK = 'The link holds the key: open it yourself and do not pass it on.'
const ASKS = 'Recommended: the editor asks for the key and keeps it where it keeps passwords.'

const inner = (target: Target) => ({ url: target.url, headers: { Authorization: bearer(target) } })
const inVariable = ({ url, variable }: Target) => ({ url, headers: { Authorization: `Bearer \${env:${variable}}` } })
const noKey = ({ variable }: Target) => `Recommended: holds no key. Set ${variable} to it where the program starts.`

function file(path: string, target: Target, server: object, about: Partial<Variant> = {}): Variant {
  return { title: 'File', path, content: pretty({ mcpServers: named(target.name, server) }), ...about }
}

function vsCode(label: string, scheme: string, program: string): Client {
  return {
    label,
    kind: 'link',
    variants(target) {
      const { name } = target
      const server = { type: 'http', ...inner(target) }
      const id = target.variable.toLowerCase()
      const inputs = [{ id, type: 'promptString', description: 'API key', password: true }]
      const asking = { type: 'http', url: target.url, headers: { Authorization: `Bearer \${input:${id}}` } }
      const link = (config: object) => `${scheme}:mcp/install?${encodeURIComponent(JSON.stringify(config))}`
      return [
        { title: 'Link', content: link({ name, ...server }), note: KEY_IN_LINK, opens: true },
        { title: 'Link that asks for the key', content: link({ name, ...asking, inputs }), note: ASKS, opens: true },
        ...command([program, '--add-mcp', JSON.stringify({ name, ...server })], { title: 'Command' }),
        {
          title: 'For everybody in a project',
          path: '.vscode/mcp.json',
          content: pretty({ servers: named(name, asking), inputs }),
          note: 'Holds no key: each person is asked for their own.',
        },
      ]
    },
  }
}

export const vscode = vsCode('VS Code', 'vscode', 'code')
export const vscodeInsiders = vsCode('VS Code Insiders', 'vscode-insiders', 'code-insiders')

export const cursor: Client = {
  label: 'Cursor',
  kind: 'link',
  variants(target) {
    const link = (config: object) =>
      `cursor://anysphere.cursor-deeplink/mcp/install?name=${encodeURIComponent(target.name)}&config=${encodeURIComponent(base64(config))}`
    return [
      { title: 'Link', content: link(inner(target)), note: KEY_IN_LINK, opens: true },
      { title: 'Link with the key in a variable', content: link(inVariable(target)), note: noKey(target), opens: true },
      file('~/.cursor/mcp.json', target, inner(target)),
    ]
  },
}

export const lmStudio: Client = {
  label: 'LM Studio',
  kind: 'link',
  variants: (target) => [
    {
      title: 'Link',
      content: `lmstudio://add_mcp?name=${encodeURIComponent(target.name)}&config=${encodeURIComponent(base64(inner(target)))}`,
      note: KEY_IN_LINK,
      opens: true,
    },
    file('~/.lmstudio/mcp.json', target, inner(target)),
  ],
}

export const goose: Client = {
  label: 'Goose',
  kind: 'link',
  variants(target) {
    const { name, url } = target
    // decoded twice: once as a part of the link, once as what follows its own sign of equality
    const header = `Authorization=${encodeURIComponent(bearer(target))}`
    const parts = { url, type: 'streamable_http', id: name, name, description: 'MCP servers behind Claviger', header }
    const query = Object.entries({ ...parts, timeout: '300' }).map(
      ([key, value]) => `${key}=${encodeURIComponent(value)}`,
    )
    const text = (value: string) => JSON.stringify(value) // every JSON string is one of YAML
    return [
      { title: 'Link', content: `goose://extension?${query.join('&')}`, note: KEY_IN_LINK, opens: true },
      {
        title: 'File',
        path: '~/.config/goose/config.yaml',
        content: [
          'extensions:',
          `  ${text(name)}:`,
          `    name: ${text(name)}`,
          '    description: MCP servers behind Claviger',
          '    type: streamable_http',
          `    uri: ${text(url)}`,
          '    headers:',
          `      Authorization: ${text(bearer(target))}`,
          '    enabled: true',
          '    timeout: 300',
        ].join('\n'),
      },
    ]
  },
}

/** Its links go through a web page: they may not carry a key. */
export const kiro: Client = {
  label: 'Kiro',
  kind: 'file',
  variants(target) {
    const { name, url, variable } = target
    const unkeyed = { url, headers: { Authorization: `Bearer \${${variable}}` } }
    return [
      file('~/.kiro/settings/mcp.json', target, inner(target)),
      {
        title: 'Link with the key in a variable',
        content: `https://kiro.dev/launch/mcp/add?name=${encodeURIComponent(name)}&config=${encodeURIComponent(JSON.stringify(unkeyed))}`,
        note: noKey(target),
        opens: true,
      },
    ]
  },
}

export const windsurf: Client = {
  label: 'Windsurf',
  kind: 'file',
  variants(target) {
    const path = '~/.codeium/windsurf/mcp_config.json'
    const { headers } = inVariable(target)
    return [
      file(path, target, { serverUrl: target.url, headers: inner(target).headers }),
      file(path, target, { serverUrl: target.url, headers }, { title: 'Key in a variable', note: noKey(target) }),
    ]
  },
}

export const zed: Client = {
  label: 'Zed',
  kind: 'file',
  variants: (target) => [
    {
      title: 'File',
      path: '~/.config/zed/settings.json',
      content: pretty({ context_servers: named(target.name, inner(target)) }),
    },
  ],
}

export const cline: Client = {
  label: 'Cline',
  kind: 'file',
  variants: (target) => [
    file(
      'cline_mcp_settings.json',
      target,
      { type: 'streamableHttp', ...inner(target), disabled: false },
      {
        note: 'Cline opens it under MCP Servers, Configure.',
      },
    ),
  ],
}

export const jetbrains: Client = {
  label: 'JetBrains AI Assistant',
  kind: 'file',
  variants(target) {
    const path = 'Settings, Tools, AI Assistant, Model Context Protocol'
    return [
      file(path, target, remoted(target), { title: 'Through mcp-remote', note: 'Needs Node.js.' }),
      file(path, target, bridged(target), {
        title: 'Through claviger bridge',
        note: 'Needs the claviger executable on this machine.',
      }),
      file(
        path,
        target,
        { url: urlWithKey(target) },
        {
          title: 'Key in the URL',
          note: 'Only for a key that may be sent in a URL.',
        },
      ),
    ]
  },
}

export const anyClient: Client = {
  label: 'Any other client',
  kind: 'file',
  variants: (target) => [
    { title: 'mcpServers', content: pretty({ mcpServers: named(target.name, { type: 'http', ...inner(target) }) }) },
    {
      title: 'For clients that only start programs',
      content: pretty({ mcpServers: named(target.name, bridged(target)) }),
      note: 'Needs the claviger executable on this machine.',
    },
  ],
}
