import { nearest } from '../config.ts'
import { CLIENT_NAMES, type ClientName, isClientName } from '../core/connect/clients.ts'
import { connectionFor, PLACEHOLDER, targetFor, whyNotFrom } from '../core/connect/connection.ts'
import { wellFormed } from '../core/keys/format.ts'
import { mcpOf } from '../core/mcps/edit.ts'
import { type Command, type Input, JSON_OPTION, UsageError, WORKSPACE_OPTION } from './command.ts'
import { inWorkspace } from './open.ts'
import { ORIGIN_OPTIONS, originOf } from './origin.ts'
import { printJson, printLine, remark } from './print.ts'
import { readSecret } from './secrets.ts'

export const connectCommands: Command[] = [
  {
    name: 'connect',
    args: 'CLIENT',
    about: 'Print how a client is connected: what to paste, and where.',
    options: {
      mcp: { value: 'SLUG', about: 'Only this MCP (all that the key may use).' },
      key: { value: 'KEY', about: `Fills the key in; - reads it from standard input (${PLACEHOLDER}).` },
      ...ORIGIN_OPTIONS,
      ...WORKSPACE_OPTION,
      ...JSON_OPTION,
    },
    notes: [
      `CLIENT is one of ${CLIENT_NAMES.slice(0, 13).join(', ')},`,
      `${CLIENT_NAMES.slice(13).join(', ')}.`,
      '  claviger connect claude-code --mcp docs',
      '  claviger keys create --name laptop | claviger connect codex --key -',
    ],
    run: connect,
  },
]

async function connect(input: Input): Promise<void> {
  const client = clientIn(input)
  const slug = input.text('mcp') ?? null
  if (slug !== null) await inWorkspace(input, (ctx, _caller, { id }) => mcpOf(ctx, id, slug))
  const target = targetFor(originOf(input.settings.config), slug, await keyIn(input))
  const connection = connectionFor(client, target)
  const unreachable = whyNotFrom(client, target)
  if (unreachable !== null) remark(input.world, `${unreachable} Set CLAVIGER_PUBLIC_URL to an address that can be.`)
  if (input.on('json')) return printJson(input, connection)
  connection.variants.forEach(({ title, content, path, note }, index) => {
    if (index > 0) printLine(input, '')
    printLine(input, `# ${[title, path].filter(Boolean).join(': ')}`)
    if (note) printLine(input, `# ${note}`)
    for (const line of content.split('\n')) printLine(input, line)
  })
}

function clientIn({ args: [typed = ''] }: Input): ClientName {
  if (isClientName(typed)) return typed
  throw new UsageError(
    `"${typed}" is no client. Did you mean ${nearest(typed, CLIENT_NAMES)}? All: claviger connect --help`,
  )
}

async function keyIn(input: Input): Promise<string | undefined> {
  const typed = input.text('key')
  const key = typed === '-' ? (await readSecret(input, '-', 'key')).reveal().trim() : typed
  if (key !== undefined && !wellFormed(key))
    remark(input.world, 'That does not look like a key; was it copied whole? It is filled in all the same.')
  return key
}
