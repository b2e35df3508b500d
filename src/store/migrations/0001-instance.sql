create table instance (
  name text primary key,
  value text not null
) strict;

create table audit (
  chain text not null,
  seq integer not null,
  at integer not null,
  actor_kind text not null,
  actor_id text,
  actor_label text not null,
  address text,
  request_id text,
  action text not null,
  subject_kind text not null,
  subject_id text not null,
  subject_label text not null,
  before text,
  after text,
  previous text not null,
  hash text not null,
  primary key (chain, seq)
) strict;

create index audit_by_subject on audit (chain, subject_id, seq);

create table audit_heads (
  chain text primary key,
  seq integer not null,
  hash text not null,
  signature text not null
) strict;
