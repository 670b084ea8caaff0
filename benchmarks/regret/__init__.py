"""The regret benchmark: what autopar takes over what the best hand-picked way takes, on the same inputs, in one run.

Run ``python -m benchmarks.regret`` from the checkout; ``--help`` lists the options. Layout::

    workload.py   what a workload is
    workloads/    the workloads, a module for each family
    server.py     the web server that some of them fetch from
    ways.py       autopar and its rivals, each as a class that maps a workload
    answer.py     a digest of results, to compare every map with the plain loop's
    cell.py       one way on one workload in a fresh interpreter, map by map as the driver asks
    driver.py     starts cells, and asks them in turn
    regret.py     figures of one workload out of its cells' times
    report.py     the table, the machine, the JSON
"""
