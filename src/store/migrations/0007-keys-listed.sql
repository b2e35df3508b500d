-- Which keys are in a state, and how many: all that lists are narrowed by, so that no key itself is read for it.
create index keys_by_standing on keys (
  workspace_id, revoked_at, disabled_at, expires_at, not_before, environment, type, owner_id, id
);
create index keys_by_name on keys (workspace_id, name collate nocase, id);
create index keys_by_end on keys (workspace_id, (coalesce(expires_at, 9007199254740991)), id);

-- Every key has a row, so that lists by last use know those that were never used: 0.
create table key_uses (
  key_id text primary key references keys (id) on delete cascade,
  workspace_id text not null,
  last_used_at integer not null,
  last_used_ip text,
  last_used_client text,
  request_count integer not null
) strict, without rowid;
insert into key_uses
  select keys.id, workspace_id, coalesce(last_used_at, 0), last_used_ip, last_used_client, coalesce(request_count, 0)
  from keys left join key_use on key_id = keys.id;
drop table key_use;
alter table key_uses rename to key_use;
create index key_use_by_time on key_use (workspace_id, last_used_at, key_id);

-- What people search in. It has a number of its own: a rowid may change when the file is packed.
create table key_texts (
  number integer primary key,
  key_id text not null unique references keys (id) on delete cascade,
  workspace_id text not null,
  text text not null
) strict;
create virtual table key_words using fts5 (text, content = 'key_texts', content_rowid = 'number', tokenize = 'trigram');

create trigger key_texts_added after insert on key_texts begin
  insert into key_words (rowid, text) values (new.number, new.text);
end;
create trigger key_texts_changed after update of text on key_texts begin
  insert into key_words (key_words, rowid, text) values ('delete', old.number, old.text);
  insert into key_words (rowid, text) values (new.number, new.text);
end;
create trigger key_texts_gone after delete on key_texts begin
  insert into key_words (key_words, rowid, text) values ('delete', old.number, old.text);
end;

insert into key_texts (key_id, workspace_id, text)
  select id, workspace_id, name || char(10) || hint || char(10) || coalesce(description, '') from keys;

create trigger keys_added after insert on keys begin
  insert into key_use values (new.id, new.workspace_id, 0, null, null, 0);
  insert into key_texts (key_id, workspace_id, text)
    values (new.id, new.workspace_id, new.name || char(10) || new.hint || char(10) || coalesce(new.description, ''));
end;
create trigger keys_renamed after update of name, hint, description on keys begin
  update key_texts set text = new.name || char(10) || new.hint || char(10) || coalesce(new.description, '')
  where key_id = new.id;
end;
