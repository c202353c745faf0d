"""Imports the parts of the standard library that scripts use most, so that they cost nothing at run time."""

# ruff: noqa: F401
import abc, argparse, array, ast, asyncio, atexit, base64, binascii, bisect, calendar, cmath, cmd, codecs, collections  # noqa: E401
import collections.abc, concurrent.futures, configparser, contextlib, contextvars, copy, copyreg, csv, dataclasses  # noqa: E401
import datetime, decimal, difflib, dis, doctest, email, email.message, email.mime.multipart, email.mime.text, email.parser  # noqa: E401
import email.policy, email.utils, encodings.ascii, encodings.idna, encodings.latin_1, encodings.utf_16, encodings.utf_8_sig  # noqa: E401
import encodings.cp1252, encodings.unicode_escape, enum, errno, fileinput, filecmp, fnmatch, fractions, functools, getopt  # noqa: E401
import getpass, gettext, glob, graphlib, gzip, hashlib, heapq, hmac, html, html.entities, html.parser, http, http.client  # noqa: E401
import http.cookiejar, http.cookies, importlib.metadata, importlib.resources, inspect, io, ipaddress, itertools, json  # noqa: E401
import json.tool, keyword, linecache, locale, logging, logging.config, logging.handlers, marshal, math, mimetypes  # noqa: E401
import numbers, operator, os, os.path, pathlib, pickle, pkgutil, platform, plistlib, pprint, queue, quopri, random, re  # noqa: E401
import reprlib, runpy, sched, secrets, select, selectors, shelve, shlex, shutil, signal, site, socket, sqlite3, stat  # noqa: E401
import statistics, string, stringprep, struct, subprocess, sys, sysconfig, tarfile, tempfile, textwrap, threading, time  # noqa: E401
import timeit, token, tokenize, tomllib, traceback, types, typing, unicodedata, unittest, unittest.mock, urllib.error  # noqa: E401
import urllib.parse, urllib.request, urllib.robotparser, uuid, warnings, weakref, xml.dom.minidom, xml.etree.ElementTree  # noqa: E401
import xml.sax, xml.sax.saxutils, zipfile, zipimport, zlib, zoneinfo  # noqa: E401
