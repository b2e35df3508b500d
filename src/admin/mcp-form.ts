import type { Request } from 'express'
import type { NewMcp } from '../core/mcps/edit.ts'
import { DOCS, ISOLATIONS, type Isolation, type Mcp, type StdioTarget, type Target } from '../core/mcps/mcp.ts'
import { told } from '../core/mcps/told.ts'
import { invalid } from '../core/refusal.ts'
import { text, whole } from './form.ts'

const BUILTIN: { live: Target; test: Target } = {
  live: { kind: 'builtin', name: DOCS },
  test: { kind: 'builtin', name: DOCS },
}

const BLANK = {
  slug: '',
  name: '',
  transport: 'http',
  url: '',
  headers: '',
  testUrl: '',
  testHeaders: '',
  command: '',
  env: '',
  cwd: '',
  testEnv: '',
  testCommand: '',
  testCwd: '',
  isolation: '',
  timeout: '',
}

export type McpForm = typeof BLANK

export function blankMcp(): McpForm {
  return BLANK
}

/** As it was typed, but for headers and variables, which are asked again. */
export function typedMcp(req: Request): McpForm {
  return {
    ...BLANK,
    slug: text(req, 'slug'),
    name: text(req, 'name'),
    transport: text(req, 'transport') || 'http',
    url: text(req, 'url'),
    testUrl: text(req, 'test_url'),
    command: text(req, 'command'),
    cwd: text(req, 'cwd'),
    testCommand: text(req, 'test_command'),
    testCwd: text(req, 'test_cwd'),
    isolation: text(req, 'isolation'),
    timeout: text(req, 'timeout_seconds'),
  }
}

export function formOf(mcp: Mcp): McpForm {
  return {
    ...BLANK,
    slug: mcp.slug,
    name: mcp.name,
    transport: mcp.transport,
    ...whereOf(mcp),
    isolation: mcp.isolation,
    timeout: String(mcp.timeoutSeconds),
  }
}

function whereOf({ targets }: Mcp): Partial<McpForm> {
  const live = targets.live && told(targets.live)
  const test = targets.test && told(targets.test)
  return {
    url: live?.kind === 'http' ? live.url : '',
    testUrl: test?.kind === 'http' ? test.url : '',
    command: live?.kind === 'stdio' ? line(live) : '',
    cwd: (live?.kind === 'stdio' && live.cwd) || '',
    testCommand: test?.kind === 'stdio' ? line(test) : '',
    testCwd: (test?.kind === 'stdio' && test.cwd) || '',
  }
}

/** As `words` reads it back. */
function line({ command, args }: StdioTarget): string {
  return [command, ...args]
    .map((word) => (/^[^\s"'\\]+$/.test(word) ? word : `"${word.replace(/["\\]/g, '\\$&')}"`))
    .join(' ')
}

export function readMcpForm(req: Request): NewMcp {
  const form = typedMcp(req)
  const targets =
    form.transport === 'builtin' ? BUILTIN : form.transport === 'stdio' ? processes(req, form) : addresses(req, form)
  return { slug: form.slug, name: form.name || null, ...targets, ...readSettings(req) }
}

export function readSettings(req: Request): { isolation: Isolation | null; timeoutSeconds: number | null } {
  const isolation = text(req, 'isolation')
  if (isolation !== '' && !ISOLATIONS.includes(isolation as Isolation))
    throw invalid('isolation', `Choose one of ${ISOLATIONS.join(', ')}.`)
  return { isolation: (isolation as Isolation) || null, timeoutSeconds: whole(req, 'timeout_seconds') }
}

function addresses(req: Request, form: McpForm): { live: Target | null; test: Target | null } {
  const http = (url: string, headers: string): Target | null =>
    url === '' ? null : { kind: 'http', url, headers: pairs(req, headers, ':') }
  return { live: http(form.url, 'headers'), test: http(form.testUrl, 'test_headers') }
}

function processes(req: Request, form: McpForm): { live: Target | null; test: Target | null } {
  const [command, ...args] = words(form.command)
  if (!command)
    throw invalid(
      'command',
      'Write the command that starts the server, such as npx -y @modelcontextprotocol/server-filesystem /srv.',
    )
  const target = (env: string): Target => ({
    kind: 'stdio',
    command,
    args,
    env: pairs(req, env, '='),
    cwd: form.cwd || null,
  })
  return { live: target('env'), test: text(req, 'test_env') === '' ? null : target('test_env') }
}

/** A line each. */
export function pairs(req: Request, field: string, sign: ':' | '='): Record<string, string> {
  const lines = text(req, field)
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter(Boolean)
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.indexOf(sign)
      if (at < 1) throw invalid(field, `Write a line each, as ${sign === ':' ? 'Name: value' : 'NAME=value'}.`)
      return [line.slice(0, at).trim(), line.slice(at + 1).trim()]
    }),
  )
}

/** As a shell would split it, with quotes; nothing is expanded, no shell runs. */
export function words(line: string): string[] {
  const found = line.match(/(?:"(?:\\.|[^"\\])*"|'[^']*'|[^\s"'])+/g) ?? []
  return found.map((word) =>
    word.replace(
      /"((?:\\.|[^"\\])*)"|'([^']*)'/g,
      (_, double?: string, single?: string) => double?.replace(/\\(["\\])/g, '$1') ?? single ?? '',
    ),
  )
}
