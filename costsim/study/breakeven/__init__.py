"""Cost against traffic volume and other keys: ``costsim.breakeven``.

From top to bottom: ``base`` is the scenario, ``axis`` says what is varied, ``curve``
simulates points of it, ``crossings`` finds where costs cross, ``regimes`` who is the
cheapest where, ``refining`` makes the grid finer in those places, ``theory`` is what closed
forms say, ``study`` puts it together, ``result`` is the answer.
"""
