"""The command line: ``autopar log``, ``explain``, ``report``, ``doctor``, ``calibrate``, ``forget``, ``run``,
``suggest``.

``main`` knows the commands and imports one when it is called, so that reading the log waits for nothing else;
``screen`` puts tables, JSON and complaints out; every other module is the command of its name.
"""
