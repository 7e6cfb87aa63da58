"""From observations to snapshots, exactly as Neotoma does; pure.

``exact`` reads row by row, the others whole columns.
"""
