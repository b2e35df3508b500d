-- While both secrets of a key work; which of its secrets was used last, and when.
alter table keys add column overlap_ends_at integer;
alter table key_secrets add column last_used_at integer;

-- Made by another system: its full key may have any shape.
alter table key_secrets add column imported integer not null default 0;

create index key_secrets_imported on key_secrets (imported) where imported = 1;
