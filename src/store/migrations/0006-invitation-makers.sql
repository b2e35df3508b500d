-- Null: made on the command line, whose links nobody's role bounds.
alter table invitations add column created_by_id text;

update invitations set created_by_id = (select id from users where email = created_by);

-- Made by somebody who is gone, and whose power nobody can look up any more.
delete from invitations where created_by_id is null and used_at is null and created_by not like 'command line%';
