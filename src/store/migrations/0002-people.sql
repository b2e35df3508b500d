create table users (
  id text primary key,
  email text not null unique,
  name text not null,
  password_hash text not null,
  instance_owner integer not null,
  created_at integer not null
) strict;

create table setup_links (
  token_hash text primary key,
  expires_at integer not null,
  used_at integer
) strict;

create table sessions (
  id text primary key,
  token_hash text not null unique,
  user_id text not null references users (id) on delete cascade,
  created_at integer not null,
  last_seen_at integer not null,
  ends_at integer not null,
  address text not null,
  user_agent text not null
) strict;

create index sessions_by_user on sessions (user_id);

create table workspaces (
  id text primary key,
  slug text not null unique,
  name text not null,
  created_at integer not null
) strict;

create table members (
  workspace_id text not null references workspaces (id) on delete cascade,
  user_id text not null references users (id) on delete cascade,
  role text not null,
  joined_at integer not null,
  primary key (workspace_id, user_id)
) strict;

create index members_by_user on members (user_id);

create table invitations (
  id text primary key,
  workspace_id text not null references workspaces (id) on delete cascade,
  token_hash text not null unique,
  email text,
  role text not null,
  created_at integer not null,
  created_by text not null,
  expires_at integer not null,
  used_at integer
) strict;

create index invitations_by_workspace on invitations (workspace_id, expires_at);
