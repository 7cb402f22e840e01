"""Cases that hypothesis draws, and shrinks to the smallest one that fails."""

from hypothesis import strategies as st


class DrawChooser:
    """Decisions from hypothesis."""

    def __init__(self, draw):
        self.draw = draw

    def integer(self, low, high):
        return self.draw(st.integers(low, high))

    def pick(self, options):
        return self.draw(st.sampled_from(options))


@st.composite
def drawn(draw, make):
    """Draw what `make` makes of a chooser, as `cases.make_case` does."""
    return make(DrawChooser(draw))
