"""From observations to snapshots, exactly as Neotoma does; pure."""
