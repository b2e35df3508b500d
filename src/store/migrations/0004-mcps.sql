create table mcps (
  id text primary key,
  workspace_id text not null references workspaces (id) on delete cascade,
  slug text not null,
  name text not null,
  transport text not null,
  live text,
  test text,
  isolation text not null,
  timeout_seconds integer not null,
  created_at integer not null,
  revision integer not null,
  unique (workspace_id, slug)
) strict;

-- What a server offered when last asked: listed at once after a restart, and while the server is down.
create table mcp_offers (
  mcp_id text not null references mcps (id) on delete cascade,
  environment text not null,
  offer text not null,
  heard_at integer not null,
  primary key (mcp_id, environment)
) strict, without rowid;

create table activity (
  id integer primary key,
  workspace_id text not null,
  at integer not null,
  request_id text not null,
  key_id text,
  mcp text,
  method text not null,
  tool text,
  environment text not null,
  outcome text not null,
  status integer not null,
  latency_ms real not null,
  upstream_ms real,
  ip text not null,
  client text
) strict;

create index activity_by_workspace on activity (workspace_id, id);
create index activity_by_key on activity (key_id, id);
create index activity_by_request on activity (request_id);
create index activity_by_age on activity (at);
