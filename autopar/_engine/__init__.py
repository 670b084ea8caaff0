"""The conductor: the only room that sees all stages. Order, back-pressure, retries and time-outs live here, once.

Maps
    ``maps`` as users see them: a list, or an iterator; ``run`` one map from its first item to its decision, the story
    to read first; ``early`` the shortest way, for a map that ends before a choice could pay; ``task`` what all parts of
    one map share; ``source`` its input; ``seeds`` its items' random streams; ``here`` its part in the caller's thread;
    ``ahead`` others started while its first item still runs, ``beside`` on a thread of their own; ``elsewhere`` its
    part on a pool, and who is to blame when something breaks there; ``pace`` how long items take there; ``blocks`` its
    results on their way into order.
Plannings
    ``deciding`` asks the deciders; ``machine`` the clock, the cores and the pools as a map sees them; ``functions``
    what is remembered of a function; ``compiling`` one map's way to compiled code; ``native`` a function's compiled
    forms; ``tierup`` the account by which it is compiled; ``chooser`` which of Python and a form runs a call.
Learning
    ``memory`` what earlier maps have taught about a function; ``lessons`` from one map to what it teaches; ``teaching``
    the end of a map: who learns what; ``prices`` what this host costs; ``calibrating`` measures the host, bit by bit or
    at once; ``cold`` times the start of worker processes.
Other doors
    ``coroutines`` maps of coroutine functions; ``own_loop`` the same for callers without an event loop; ``bridge`` maps
    of plain functions from asynchronous code; ``async_items`` their input; ``adaptive_limit`` how many coroutines are
    under way; ``driven`` coroutine functions that need no loop; ``calls`` single calls: sampled, submitted.
Other libraries
    ``own_workers`` the threads and processes of one executor, ``own_coroutines`` its coroutines; ``submitted`` where
    its calls run; ``executor_map`` its maps; ``joblib_calls`` the batches of one ``joblib.Parallel``.
What is said
    ``journal`` the process's decision log; ``notice`` the warning that says where a hint would help; ``watch``
    follows a map for who wants to know: ``progress`` shown or called back, ``bars`` the bar itself, ``log_records``
    records of logging.
"""
