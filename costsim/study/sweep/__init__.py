"""Any keys of a scenario over lists and ranges: ``costsim.sweep``, ``costsim sweep``.

From top to bottom: ``axis`` reads what is varied, ``design`` makes the points, ``check``
finds out which are possible, ``parts`` shares them out, ``work`` is what a worker does with
a part, ``folder`` keeps what is finished, ``summary`` says what it means.
"""
