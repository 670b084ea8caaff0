"""The conductor: the only room that sees all stages. Order, back-pressure, retries and time-outs live here, once.

=========== =============================================================
"""
