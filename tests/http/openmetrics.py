# SPDX-License-Identifier: MIT
"""usage: openmetrics.py FILE: reads it as the reference parser of Prometheus' Python client does, which is strict; says what it is, if anything."""
import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families

try:
    with open(sys.argv[1], encoding="utf-8", newline="\n") as file:
        families = list(text_string_to_metric_families(file.read()))
except ValueError as error:
    sys.exit(f"{sys.argv[1]}: {error}")
print(len(families), sum(1 for family in families for sample in family.samples if sample.exemplar))
