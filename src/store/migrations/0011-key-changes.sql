-- Under which hash what was changed last, by whomever: so much a server forgets of the keys it holds in memory, and no
-- more. The newest line always stays, so that one who has read up to it knows that nothing is missing.
create table key_changes (
  number integer primary key,
  hash text not null
) strict;
insert into key_changes values (1, '');

create trigger key_changes_bounded after insert on key_changes begin
  delete from key_changes where number <= new.number - 2000;
end;

create trigger key_change_noted after update on keys begin
  insert into key_changes (hash) select hash from key_secrets where key_id = new.id;
end;
create trigger key_removal_noted before delete on keys begin
  insert into key_changes (hash) select hash from key_secrets where key_id = old.id;
end;
create trigger key_secret_noted after insert on key_secrets begin
  insert into key_changes (hash) values (new.hash);
end;
create trigger key_secret_end_noted after update of hash, key_id, ends_at on key_secrets begin
  insert into key_changes (hash) values (old.hash), (new.hash);
end;
create trigger key_secret_removal_noted after delete on key_secrets begin
  insert into key_changes (hash) values (old.hash);
end;
