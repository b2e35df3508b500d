import type { Generated } from 'kysely'

/** The tables as types. Times are milliseconds since 1970, booleans 0 or 1, lists and objects JSON. */
export type Tables = {
  instance: { name: string; value: string }
  audit: AuditRow
  audit_heads: { chain: string; seq: number; hash: string; signature: string }
  users: UserRow
  setup_links: { token_hash: string; expires_at: number; used_at: number | null }
  sessions: SessionRow
  workspaces: { id: string; slug: string; name: string; created_at: number; furnished_at: number | null }
  members: { workspace_id: string; user_id: string; role: string; joined_at: number }
  invitations: InvitationRow
  keys: KeyRow
  key_secrets: KeySecretRow
  key_changes: { number: number; hash: string; mark: Generated<string> }
  key_use: KeyUseRow
  mcps: McpRow
  mcp_offers: { mcp_id: string; environment: string; offer: string; heard_at: number }
  repos: RepoRow
  answers: AnswerRow
}

export type AuditRow = {
  chain: string
  seq: number
  at: number
  actor_kind: string
  actor_id: string | null
  actor_label: string
  address: string | null
  request_id: string | null
  action: string
  subject_kind: string
  subject_id: string
  subject_label: string
  before: string | null
  after: string | null
  previous: string
  hash: string
}

export type UserRow = {
  id: string
  email: string
  name: string
  password_hash: string
  instance_owner: number
  created_at: number
}

export type SessionRow = {
  id: string
  token_hash: string
  user_id: string
  created_at: number
  last_seen_at: number
  ends_at: number
  address: string
  user_agent: string
}

export type InvitationRow = {
  id: string
  workspace_id: string
  token_hash: string
  email: string | null
  role: string
  created_at: number
  created_by: string
  created_by_id: string | null
  expires_at: number
  used_at: number | null
}

export type KeyRow = {
  id: string
  workspace_id: string
  owner_id: string | null
  hint: string
  name: string
  description: string | null
  environment: string
  type: string
  scopes: string
  mcp_access: string
  ip_allow: string
  rate_limit_per_minute: number
  quota_per_day: number | null
  allow_in_url: number
  not_before: number | null
  expires_at: number | null
  disabled_at: number | null
  overlap_ends_at: number | null
  revoked_at: number | null
  revoked_reason: string | null
  created_at: number
  created_by_kind: string
  created_by_id: string | null
  created_by_label: string
  revision: number
}

export type KeySecretRow = {
  hash: string
  key_id: string
  hint: string
  created_at: number
  ends_at: number | null
  last_used_at: number | null
}

export type KeyUseRow = {
  key_id: string
  workspace_id: string
  /** 0: never. */
  last_used_at: number
  last_used_ip: string | null
  last_used_client: string | null
  request_count: number
}

export type AnswerRow = {
  caller: string
  idempotency_key: string
  fingerprint: string
  begun_at: number
  status: number | null
  body: string | null
}

export type McpRow = {
  id: string
  workspace_id: string
  slug: string
  name: string
  transport: string
  live: string | null
  test: string | null
  isolation: string
  timeout_seconds: number
  created_at: number
  revision: number
}

export type RepoRow = {
  id: string
  workspace_id: string
  name: string
  source: string
  path: string | null
  environments: string
  created_at: number
  revision: number
}

/** Of the file beside the database. */
export type ActivityTables = {
  call: ActivityRow
  line: Pick<ActivityRow, 'id' | 'at'>
  name: { id: Generated<number>; text: string; day: number }
}

export type ActivityRow = {
  id: Generated<number>
  workspace_id: string
  at: number
  request_id: string
  key_id: string | null
  mcp: string | null
  method: string
  tool: string | null
  environment: string
  outcome: string
  status: number
  latency_ms: number
  upstream_ms: number | null
  ip: string
  client: string | null
}
