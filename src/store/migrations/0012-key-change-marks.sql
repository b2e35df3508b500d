-- Each change has a mark that no other has: a database put back in place of this one comes to the same numbers again,
-- by other changes.
create table key_changes_before (number integer) strict;
insert into key_changes_before select max(number) from key_changes;
drop table key_changes;
create table key_changes (
  number integer primary key,
  hash text not null,
  mark text not null default (hex(randomblob(8)))
) strict;
insert into key_changes (number, hash) select coalesce(number, 0) + 1, '' from key_changes_before;
drop table key_changes_before;

create trigger key_changes_bounded after insert on key_changes begin
  delete from key_changes where number <= new.number - 2000;
end;

-- A key that replaces one of the same id: nothing is updated then, and no trigger hears of a deletion.
create trigger key_replacement_noted after insert on keys begin
  insert into key_changes (hash) select hash from key_secrets where key_id = new.id;
end;
