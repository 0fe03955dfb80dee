# Runs postgres ("$@") beside a reader of the FIFO that each user of the server holds open for writing. The kernel closes
# a writer's end however it dies; when the last is gone the reader ends, and postgres is asked to stop (fast).
"$@" &
p=$!
( cat "$ALIVE" >/dev/null; kill -INT $p ) &
wait $p
rc=$?
trap '' TERM
kill -TERM 0
exit $rc
