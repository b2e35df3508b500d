-- Lines are written in the order of time: what is older than a day has smaller ids than what is not.
drop index activity_by_age;
