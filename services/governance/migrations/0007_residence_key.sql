-- One registration and one permit at a time, as before, by a key that is cheap to keep. The text columns in a GiST index cost
-- most of what an import of residents cost (138 µs a row while 100,000 were inserted; this one 23). Whose and which ground it is stands in the
-- index as 128 bits of hash: the same person and ground always meet, so that no overlap is missed.
alter table residence drop constraint residence_one_per_ground;
alter table residence add constraint residence_one_per_ground exclude using gist (
    hashtextextended(town || '/' || person || '/' || ground, 0) with =,
    hashtextextended(town || '/' || person || '/' || ground, 1) with =,
    valid with &&
) where (upper_inf(recorded));
