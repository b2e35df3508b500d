-- While both secrets of a key work; which of its secrets was used last, and when.
alter table keys add column overlap_ends_at integer;
alter table key_secrets add column last_used_at integer;

-- Whether a key of another system was ever imported: only then may one have any shape.
create index audit_of_imports on audit (action) where action = 'key.imported';
