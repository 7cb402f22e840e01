"""Readers of recorded traces, one family a module: a file in, ``TraceData`` out.

They read what they understand, say how they understood it, count what they left out,
and refuse the rest with the line at fault.
"""
