"""Functions of Python's own library that are written in Python: pure ones, with the types of a call, and others."""

from __future__ import annotations

import ast
import base64
import bisect
import calendar
import collections
import colorsys
import copy
import csv
import dataclasses
import datetime
import difflib
import email.utils
import fractions
import genericpath
import graphlib
import gzip
import heapq
import html
import inspect
import ipaddress
import json
import linecache
import mimetypes
import ntpath
import operator
import pathlib
import posixpath
import pprint
import quopri
import random
import re
import reprlib
import shlex
import statistics
import string
import stringprep
import textwrap
import tokenize
import urllib.parse
import uuid
import warnings
import zipfile
from collections.abc import Callable
from typing import Any

from autopar._model.effects import EffectKind

PURE: list[tuple[Callable[..., Any], tuple[type, ...]]] = [
    (textwrap.fill, (str, int)),
    (textwrap.wrap, (str,)),
    (textwrap.dedent, (str,)),
    (textwrap.indent, (str, str)),
    (textwrap.shorten, (str, int)),
    (statistics.mean, (list,)),
    (statistics.fmean, (list,)),
    (statistics.median, (list,)),
    (statistics.mode, (list,)),
    (statistics.median_low, (list,)),
    (statistics.multimode, (list,)),
    (statistics.geometric_mean, (list,)),
    (statistics.pstdev, (list,)),
    (statistics.quantiles, (list,)),
    (statistics.harmonic_mean, (list,)),
    (statistics.correlation, (list, list)),
    (posixpath.join, (str, str)),
    (posixpath.normpath, (str,)),
    (posixpath.split, (str,)),
    (posixpath.basename, (str,)),
    (posixpath.commonpath, (list,)),
    (posixpath.expanduser, (str,)),
    (posixpath.splitext, (str,)),
    (ntpath.join, (str, str)),
    (ntpath.normpath, (str,)),
    (ntpath.splitdrive, (str,)),
    (genericpath.commonprefix, (list,)),
    (json.dumps, (dict,)),
    (json.loads, (str,)),
    (json.JSONEncoder().encode, (dict,)),
    (colorsys.rgb_to_hls, (float, float, float)),
    (colorsys.hls_to_rgb, (float, float, float)),
    (colorsys.rgb_to_hsv, (float, float, float)),
    (colorsys.yiq_to_rgb, (float, float, float)),
    (fractions.Fraction, (str,)),
    (fractions.Fraction.limit_denominator, (fractions.Fraction, int)),
    (fractions.Fraction.__add__, (fractions.Fraction, fractions.Fraction)),
    (difflib.get_close_matches, (str, list)),
    (difflib.unified_diff, (list, list)),
    (html.escape, (str,)),
    (html.unescape, (str,)),
    (shlex.split, (str,)),
    (shlex.quote, (str,)),
    (shlex.join, (list,)),
    (string.capwords, (str,)),
    (bisect.bisect_left, (list, int)),
    (heapq.nlargest, (int, list)),
    (heapq.nsmallest, (int, list)),
    (heapq.merge, (list, list)),
    (calendar.isleap, (int,)),
    (calendar.leapdays, (int, int)),
    (calendar.timegm, (tuple,)),
    (calendar.monthrange, (int, int)),
    (calendar.weekday, (int, int, int)),
    (calendar.Calendar().monthdayscalendar, (int, int)),
    (ipaddress.ip_address, (str,)),
    (ipaddress.IPv4Address, (str,)),
    (base64.b64encode, (bytes,)),
    (copy.copy, (list,)),
    (ast.literal_eval, (str,)),
    (ast.dump, (ast.Module,)),
    (email.utils.parseaddr, (str,)),
    (email.utils.formataddr, (tuple,)),
    (email.utils.quote, (str,)),
    (operator.countOf, (list, int)),
    (inspect.cleandoc, (str,)),
    (inspect.getdoc, (type,)),
    (inspect.isfunction, (type(len),)),
    (pathlib.PurePosixPath, (str, str)),
    (pprint.pformat, (dict,)),
    (quopri.encodestring, (bytes,)),
    (re.escape, (str,)),
    (reprlib.repr, (list,)),
    (dataclasses.asdict, (object,)),
    (uuid.UUID, (str,)),
    (gzip.compress, (bytes,)),
    (stringprep.in_table_a1, (str,)),
    (zipfile.is_zipfile, (str,)),
    (collections.Counter.most_common, (collections.Counter,)),
    (collections.ChainMap.get, (collections.ChainMap, str)),
    (graphlib.TopologicalSorter, (dict,)),
    (datetime.datetime.fromisoformat, (str,)),
    (csv.Sniffer().has_header, (str,)),
    (tokenize.untokenize, (list,)),
]

KEEP_SOMETHING: list[tuple[Callable[..., Any], EffectKind]] = [
    (urllib.parse.urlsplit, EffectKind.WRITES_SHARED),
    (urllib.parse.quote, EffectKind.WRITES_SHARED),
    (urllib.parse.unquote, EffectKind.WRITES_GLOBAL),
    (base64.b32decode, EffectKind.WRITES_SHARED),
    (base64.a85encode, EffectKind.WRITES_GLOBAL),
    (ipaddress.ip_network, EffectKind.WRITES_SHARED),
    (mimetypes.guess_type, EffectKind.PROCESS_STATE),
    (random.shuffle, EffectKind.WRITES_ARGUMENT),
    (heapq.heappush, EffectKind.WRITES_ARGUMENT),
    (linecache.getline, EffectKind.WRITES_SHARED),
    (warnings.simplefilter, EffectKind.PROCESS_STATE),
]
"""Functions that look pure and keep something between calls, most of them a cache, and what the walk must see."""

MODULES = """
argparse ast asyncio.base_events asyncio.streams asyncio.tasks calendar collections colorsys concurrent.futures._base
contextlib copy csv dataclasses difflib dis email.message enum fractions functools glob gzip heapq html.parser
http.client inspect ipaddress json.decoder json.encoder logging mailbox optparse os pathlib pickle posixpath pprint
queue random re shlex shutil smtplib socket statistics string subprocess tarfile tempfile textwrap threading tokenize
traceback typing unittest.mock urllib.parse uuid warnings weakref xml.dom.minidom zipfile
""".split()
"""Modules of which every function and method is analysed."""
