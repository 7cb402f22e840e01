"""Autoscalers that remember more than a number: a file each, compiled and pure.

A policy is given the time, what is observed, its rules, and records that it keeps its
memory in; it returns a count. It reads no clock and no pool, and owns no array.
"""
