import type { Environment } from '../keys/key.ts'

export const TRANSPORTS = ['builtin', 'stdio', 'http'] as const
export type Transport = (typeof TRANSPORTS)[number]

/** Whose calls may share one upstream session or process. */
export const ISOLATIONS = ['shared', 'per-key', 'per-session'] as const
export type Isolation = (typeof ISOLATIONS)[number]

/** Where an MCP server is reached. Values of headers and environment are sealed at rest and never shown again. */
export type HttpTarget = {
  kind: 'http'
  /** At rest, without what may be secret in it; then the whole is sealed beside it. */
  url: string
  sealedUrl?: string
  headers: Record<string, string>
}
export type StdioTarget = {
  kind: 'stdio'
  command: string
  /** At rest, without what may be secret in them; then the whole are sealed beside them. */
  args: string[]
  sealedArgs?: string
  env: Record<string, string>
  cwd: string | null
}
export type BuiltinTarget = { kind: 'builtin'; name: string }
/** The one server that Claviger brings along: it searches the workspace's repos. */
export const DOCS = 'docs'
export type Target = HttpTarget | StdioTarget | BuiltinTarget

export type Mcp = {
  id: string
  workspaceId: string
  slug: string
  name: string
  transport: Transport
  targets: Record<Environment, Target | null>
  isolation: Isolation
  timeoutSeconds: number
  createdAt: Date
  revision: number
}
