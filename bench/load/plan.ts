export type Era = '2026-07-28' | '2025-11-25'

/** What a loader is told to do, once. */
export type Plan = {
  name: string
  via:
    | { kind: 'http'; url: string; keys: string[] }
    | { kind: 'stdio'; argv: string[] }
    | { kind: 'hub'; url: string; server: string }
  era: Era
  clients: number
  /** `tool`: called with a token that must come back. `listed`: asked for its tools, so many of them. */
  ask: { tool: string } | { listed: number }
  warmUpMs: number
  /** How long is measured, or how many calls. */
  until: { ms: number } | { calls: number }
  /** The process whose time and memory are read; null: the stdio child that the loader starts. */
  pid: number | null
}

export type Measured = {
  calls: number
  seconds: number
  p50Ms: number
  p99Ms: number
  /** User and system time of the watched process. */
  cpuSeconds: number
  rssBefore: number
  rssAfter: number
}

export type Told = { measured: Measured } | { failed: string }
