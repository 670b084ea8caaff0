"""The conductor: the only room that sees all stages. Order, back-pressure, retries and time-outs live here, once.

=========== ====================================================================
maps        maps of plain functions as users see them: a list, or an iterator
run         one map from its first item to its decision: the story to read first
task        what all parts of one map share
here        its part in the caller's thread
deciding    its plannings
elsewhere   its part on a pool, and who is to blame when something breaks there
source      its input
blocks      its results on their way into order
pace        how long items take on the pool
coroutines  maps of coroutine functions
bridge      maps of plain functions from asynchronous code
calls       single calls: sampled, submitted
memory      what earlier maps have taught about a function
lessons     from one map to what it teaches
teaching    the end of a map: who learns what
prices      what this host charges
calibrating measures the host, bit by bit or at once
cold        times the start of worker processes
functions   what is remembered of a function
machine     the host as it is now
journal     the process's decision log
notice      the warning that says where a hint would help
progress    progress shown or called back
=========== ====================================================================
"""
