"""The Prefect flows. Each names operations and their order; all of them run without it too.

Prefect reports runs to its makers unless that is turned off. Here it does so only if asked to: by
DO_NOT_TRACK=0 and PREFECT_SERVER_ANALYTICS_ENABLED=true.
"""

from neotoma_core.settings.environment import switch_telemetry_off

switch_telemetry_off()  # before the flows import Prefect, which reads it then
