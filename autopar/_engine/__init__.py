"""The conductor: the only room that sees all stages. Order, back-pressure, retries and time-outs live here, once.

Maps
    ``maps`` as users see them: a list, or an iterator; ``run`` one map from its first item to its decision, the
    story to read first; ``early`` the shortest way, for a map that ends before a choice could pay; ``task`` what
    all parts of one map share; ``source`` its input; ``streams`` where its items' random streams begin; ``here``
    its part in the caller's thread; ``ahead`` others started while its first item still runs, ``beside`` on a
    thread of their own; ``elsewhere`` its part on a pool, and who is to blame when something breaks there; ``pace``
    how long items take there, ``patience`` how long to wait for them, ``completions`` what has ended, ``again``
    what runs again, ``pressure`` with fewer workers when memory runs out; ``leaving`` what still runs when a map is
    left; ``blocks`` its results on their way into order; ``checkpoints`` results that are kept in a file;
    ``cluster`` the map's cluster.
Plannings
    ``deciding`` asks the deciders; ``machine`` the clock, the cores and the pools as a map sees them; ``functions``
    what is remembered of a function; ``compiling`` one map's way to compiled code, ``candidates`` for which functions
    there hardly is one; ``native`` a function's compiled forms; ``tierup`` the account by which it is compiled,
    ``objects`` that of functions on objects; ``chooser`` which of Python and a form runs a call; ``together`` chunks
    that race, ``company`` who else is at work meanwhile.
Learning
    ``memory`` what earlier maps have taught about a function; ``lessons`` from one map to what it teaches; ``teaching``
    the end of a map: who learns what; ``prices`` what this host costs; ``calibrating`` measures the host, bit by bit or
    at once; ``cold`` times the start of worker processes; ``loaded`` what is done beforehand,
    when the engine is loaded; ``times`` who ran what and when.
Other doors
    ``coroutines`` maps of coroutine functions; ``own_loop`` the same for callers without an event loop; ``bridge`` maps
    of plain functions from asynchronous code; ``async_items`` their input; ``adaptive_limit`` how many coroutines are
    under way, ``limits`` how long they may take; ``driven`` coroutine functions that need no loop; ``one_coroutine`` a
    single call of one; ``calls`` single calls: sampled, submitted.
Other libraries
    ``own_workers`` the threads and processes of one executor, ``own_coroutines`` its coroutines, ``own_clusters`` its
    clusters; ``submitted`` where its calls run, ``passing`` what is known of what they call;
    ``executor_map`` its maps; ``joblib_calls`` the batches of one ``joblib.Parallel``.
What is said
    ``journal`` the process's decision log; ``notice`` the warning that says where a hint would help; ``watch``
    follows a map for who wants to know: ``progress`` shown or called back, ``bars`` the bar itself, ``story`` what is
    told of maps and calls, ``log_records`` records of logging; ``naming`` says in an error which item it is about,
    ``discreet`` what of an error is kept.
"""
