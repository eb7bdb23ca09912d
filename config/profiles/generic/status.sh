#!/bin/sh
# What became of a job of Grid Engine, by its number; for PBS, read job_state and Exit_status of `qstat -x -f` instead.
# qacct knows a job once it has ended.
record=$(qacct -j "$1" 2>/dev/null) || { echo running; exit; }
if echo "$record" | grep -q '^failed  *0' && echo "$record" | grep -q '^exit_status  *0'; then
    echo success
else
    echo failed
fi
