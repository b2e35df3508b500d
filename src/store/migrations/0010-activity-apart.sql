-- Its lines have been carried over into activity.db just before (activity-file.ts).
drop table activity;
