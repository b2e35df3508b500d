import { bridged, remoted } from './stdio.ts'
import { bearer, type Client, named, pretty, type Target, urlWithKey, type Variant } from './variant.ts'

const RISK =
  'Whoever sees this URL has the key. It may be written to logs and histories on the way, so give it a key of its own that opens little and expires.'

const connector = (target: Target): Variant => ({ title: 'Connector URL', content: urlWithKey(target), note: RISK })

export const claudeAi: Client = {
  label: 'claude.ai',
  kind: 'url',
  keyInUrl: true,
  variants: (target) => [
    { ...connector(target), path: 'Settings, Connectors, Add custom connector' },
    {
      title: 'Link to the filled-in form',
      content: `https://claude.ai/customize/connectors?modal=add-custom-connector&connectorName=${encodeURIComponent(target.name)}&connectorUrl=${encodeURIComponent(urlWithKey(target))}`,
      note: RISK,
      opens: true,
    },
  ],
}

export const claudeDesktop: Client = {
  label: 'Claude Desktop',
  kind: 'url',
  keyInUrl: true,
  orLocal: true,
  variants(target) {
    const path = 'claude_desktop_config.json'
    const file = (server: object) => pretty({ mcpServers: named(target.name, server) })
    return [
      { ...connector(target), path: 'Settings, Connectors, Add custom connector' },
      {
        title: 'Through mcp-remote',
        path,
        content: file(remoted(target)),
        note: 'Keeps the key out of URLs, and reaches addresses that only this machine knows. Needs Node.js.',
      },
      {
        title: 'Through claviger bridge',
        path,
        content: file(bridged(target)),
        note: 'The same, with the claviger executable on this machine instead of Node.js.',
      },
    ]
  },
}

export const chatGpt: Client = {
  label: 'ChatGPT',
  kind: 'url',
  keyInUrl: true,
  variants: (target) => [
    {
      ...connector(target),
      path: 'chatgpt.com/plugins, +, Add custom MCP server, with "No authentication"',
      note: `If there is no such entry, turn on developer mode first: Settings, Security and login, or Settings, Apps. ${RISK}`,
    },
  ],
}

/** Its node is pasted onto the canvas; the key belongs in a credential. */
export const n8n: Client = {
  label: 'n8n',
  kind: 'file',
  variants: (target) => [
    {
      title: 'Node to paste onto the canvas',
      content: pretty({
        nodes: [
          {
            name: target.name,
            type: '@n8n/n8n-nodes-langchain.mcpClientTool',
            typeVersion: 1.2,
            position: [0, 0],
            parameters: {
              endpointUrl: target.url,
              serverTransport: 'httpStreamable',
              authentication: 'bearerAuth',
              options: {},
            },
          },
        ],
        connections: {},
      }),
      note: 'Then choose a credential of the kind Bearer Auth, with the key as its token.',
    },
    { title: 'Token of the Bearer Auth credential', content: target.key },
    { title: 'Value of an Authorization header', content: bearer(target) },
  ],
}
