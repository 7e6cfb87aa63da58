"""The Prefect flows. Each names operations and their order; all of them run without it too.

Prefect tells its makers about runs unless it is told not to. Here it does only where it is asked
to: by DO_NOT_TRACK=0 and PREFECT_SERVER_ANALYTICS_ENABLED=true.
"""

from neotoma_core.settings.environment import switch_telemetry_off

switch_telemetry_off()  # before the flows import Prefect, which reads it then
