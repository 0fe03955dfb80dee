-- What the days of open steps are counted from, so that a later paper moves them. A row from before this has none and keeps its days.

alter table expense
    -- the day of the publication, from which notice_days are counted
    add column notice_from date,
    -- the day from which the working days of whose turn it is are counted, and how many they are
    add column term_from date,
    add column term_days integer check (term_days >= 0),
    -- how many papers the calendar was made of; a paper never changes and never goes, so more papers are a later calendar
    add column papers integer not null default 0 check (papers >= 0),
    add constraint expense_term_is_whole check ((term_from is null) = (term_days is null) and (term_days is null or due is not null)),
    add constraint expense_notice_is_whole check (notice_from is null or notice_ends is not null);
create index expense_counted_before on expense (town, papers) where term_days is not null;
