"""Draws one chart and ends: run by its path with a Vega-Lite specification on standard input, SVG on standard output.

A process of its own, because the drawing library brings a JavaScript engine whose memory is never given back.
"""

import sys


def main() -> None:
    """Draw what standard input says. Data come with it: nothing is loaded from anywhere."""
    import vl_convert

    sys.stdout.write(vl_convert.vegalite_to_svg(sys.stdin.read(), allowed_base_urls=[]))


if __name__ == "__main__":
    main()
