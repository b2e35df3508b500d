create table repos (
  id text primary key,
  workspace_id text not null references workspaces (id) on delete cascade,
  name text not null,
  source text not null,
  path text,
  environments text not null,
  created_at integer not null,
  revision integer not null,
  unique (workspace_id, name)
) strict;

-- When it got the documentation server and the manual; null: made before there were any, so the next start brings them.
alter table workspaces add column furnished_at integer;
