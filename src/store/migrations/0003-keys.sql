create table keys (
  id text primary key,
  workspace_id text not null references workspaces (id) on delete cascade,
  owner_id text,
  hint text not null,
  name text not null,
  description text,
  environment text not null,
  type text not null,
  scopes text not null,
  mcp_access text not null,
  ip_allow text not null,
  rate_limit_per_minute integer not null,
  quota_per_day integer,
  allow_in_url integer not null,
  not_before integer,
  expires_at integer,
  disabled_at integer,
  revoked_at integer,
  revoked_reason text,
  created_at integer not null,
  created_by_kind text not null,
  created_by_id text,
  created_by_label text not null,
  revision integer not null
) strict;

create index keys_by_workspace on keys (workspace_id, id);
create index keys_by_owner on keys (owner_id);

-- One row for each secret a key ever had: a rotated-out secret is still told apart from one that never was.
create table key_secrets (
  hash text primary key,
  key_id text not null references keys (id) on delete cascade,
  hint text not null,
  created_at integer not null,
  ends_at integer
) strict, without rowid;

create index key_secrets_by_key on key_secrets (key_id);

-- Apart from the key itself: written after calls, in batches, by nobody's decision.
create table key_use (
  key_id text primary key references keys (id) on delete cascade,
  last_used_at integer not null,
  last_used_ip text,
  last_used_client text,
  request_count integer not null
) strict, without rowid;

create table answers (
  caller text not null,
  idempotency_key text not null,
  fingerprint text not null,
  begun_at integer not null,
  status integer,
  body text,
  primary key (caller, idempotency_key)
) strict, without rowid;

create index answers_by_age on answers (begun_at);
